-- One row per unit, year, line of activity, law and limit: do its waivers by value, each below the limit, add up to more?
-- Waivers that cannot be placed in such a group are counted as not computable one by one.
--
-- A waiver is a contract whose modality (its own, or its tender's) is `dispensa`, or such a tender without a contract.
-- A contract without a day of signature stands on its tender's: the result's, else the publication's.
-- Groups never span two sources: the same purchase may stand in both.
--
-- The contracts of one tender are one waiver, worth what they add up to and at most its award. A line of activity that was
-- read from texts is wider than the law's: where its sum exceeds the limit, those alone are added that have one supplier or
-- whose objects name the same thing first, and no other campus. If these do not exceed it there is no judgement.
with purchases as (
    select c.id, 'contracts' as tbl, c.source, c.buyer_id, c.buyer_name, c.supplier_id, c.supplier_root, c.supplier_name,
           coalesce(c.signed_on, t.result_on, t.published_on) as on_day, c.signed_on is null as day_derived, coalesce(c.value_initial, c.value_final) as value, coalesce(c.modality, t.modality) as modality,
           coalesce(c.legal_basis, t.legal_basis) as legal_basis,
           case when c.legal_basis is not null then c.regime else t.regime end as regime,
           coalesce(c.activity, t.activity) as activity,
           case when c.activity is not null then c.activity_basis else t.activity_basis end as activity_basis,
           coalesce(c.object, t.object) as object, c.tender_id, t.value_awarded as award
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL'
    and    (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) > 0)
    union all
    select t.id, 'tenders', t.source, t.buyer_id, t.buyer_name, null, null, null, coalesce(t.published_on, t.result_on),
           false, t.value_awarded, t.modality, t.legal_basis, t.regime, t.activity, t.activity_basis, t.object, t.id, t.value_awarded
    from   tenders t
    where  coalesce(t.currency, 'BRL') = 'BRL' and (t.value_awarded is null or t.value_awarded > 0)
    and    t.modality = 'dispensa' and t.id not in (select c.tender_id from contracts c where c.tender_id is not null)
),
-- The clause of the legal basis: I (works, engineering, vehicle upkeep) or II (other goods and services).
read as (
    select p.*, coalesce(p.source || '|' || p.buyer_id || '|' || cast(year(p.on_day) as varchar), '?') as group_key,
           trim(regexp_replace(lower(strip_accents(coalesce(p.legal_basis, ''))), '[^a-z0-9]+', ' ', 'g')) as basis
    from   purchases p
    where  (p.modality is null or p.modality = 'dispensa')
    and    in_scope(coalesce(p.source || '|' || p.buyer_id || '|' || cast(year(p.on_day) as varchar), '?'))
),
grounded as (
    select r.*, regexp_extract(basis, '(?:^| )(?:75|24) (?:o )?(?:inc[a-z]* )?([ivxl]+)(?: |$)', 1) as clause
    from   read r
),
limited as (
    select g.*, coalesce(b.name, g.buyer_name) as body, l.amount * case when l.doubles and f.form = 'consortium' then 2 else 1 end as limit_amount,
           l.inclusive, l.article, l.act, l.from_on, l.until_on, v.amount as repair_amount,
           case when g.modality is null            then g.tbl || '.modality'
                when g.legal_basis is null or g.clause = '' then g.tbl || '.legal_basis'
                when g.regime is null              then g.tbl || '.regime'
                when g.buyer_id is null            then g.tbl || '.buyer_id'
                when g.on_day is null              then case g.tbl when 'contracts' then 'contracts.signed_on' else 'tenders.published_on' end
                when g.value is null               then case g.tbl when 'contracts' then 'contracts.value' else 'tenders.value_awarded' end
                when f.form = 'state_company'       then 'buyers.form'
                when l.amount is null              then 'law.waiver_limits'
                when g.activity is null            then g.tbl || '.activity'
                when g.activity = 'manutencao_veicular' and g.regime = 'lei_14133' and v.amount is null then 'law.vehicle_repair_limits' end as missing
    from   grounded g
    left join buyers b on b.id = g.buyer_id
    left join buyer_forms f on f.buyer_id = g.buyer_id
    left join waiver_limits l on l.regime = g.regime and l.kind = case g.clause when 'i' then 'works' else 'other' end
                             and g.on_day between l.from_on and l.until_on
    left join vehicle_repair_limits v on v.regime = g.regime and g.on_day between v.from_on and v.until_on
    -- Another ground than value is not judged.
    where  g.clause in ('', 'i', 'ii')
),
members as (
    select *, source || '|' || buyer_id || '|' || cast(year(on_day) as varchar) || '|' || activity || '|' || regime || '|' || clause as subject_id
    from   limited
    where  missing is null
    and    not (activity = 'manutencao_veicular' and regime = 'lei_14133' and value <= repair_amount)
),
-- Each waiver once.
waivers as (
    select subject_id, coalesce(tender_id, id) as waiver_id, min(group_key) as group_key, min(source) as source, min(buyer_id) as buyer_id,
           min(body) as body, min(regime) as regime, min(activity) as activity, min(article) as article,
           arg_max(act, limit_amount) as act, arg_max(from_on, limit_amount) as from_on, arg_max(until_on, limit_amount) as until_on,
           max(limit_amount) as limit_amount, bool_or(inclusive) as inclusive, min(on_day) as first_on, max(on_day) as last_on,
           sum(value) as signed, max(case when award > 0 then award end) as awarded,
           -- One supplier, or none: several share a waiver.
           case when count(distinct coalesce(supplier_root, supplier_id)) = 1 then min(coalesce(supplier_root, supplier_id)) end as supplier,
           min(supplier_id) as supplier_id, min(supplier_name) as supplier_name,
           count(case when day_derived then 1 end) as days_derived, count(*) as entries, bool_or(coalesce(activity_basis, 'text') = 'text') as from_text,
           min(tbl) as tbl, min(object) as object,
           string_agg(case when tbl = 'contracts' then id end, chr(31) order by on_day, id) as contract_ids,
           concat_ws(chr(31), string_agg(tbl || chr(30) || id, chr(31) order by on_day, id),
                     'tenders' || chr(30) || max(case when tbl = 'contracts' and award > 0 then tender_id end)) as member_rows
    from   members group by subject_id, coalesce(tender_id, id)
),
fitting as (
    select *, least(signed, coalesce(awarded, signed)) as value from waivers
    where  coalesce(awarded, signed) < limit_amount or (inclusive and coalesce(awarded, signed) = limit_amount)
),
lines as (
    select subject_id, sum(value) as total, count(*) as n, max(limit_amount) as limit_amount, bool_or(inclusive) as inclusive,
           bool_or(from_text) as from_text
    from   fitting group by subject_id
),
doubtful as (
    select subject_id, n, total from lines where from_text and (total > limit_amount or (not inclusive and total = limit_amount))
),
-- What the object names first, but for words that say how it is bought; and the campus it names.
named as (
    select f.subject_id, f.waiver_id, f.value, f.supplier,
           nullif(regexp_extract(regexp_replace(f.said,
             '\b(ajuste|ambito|anexos?|anua(l|is)|aquisic(ao|oes)|atender|atendimento|avenca|aviso|bens|certame|comu(m|ns)|compras?|condicoes|confecc(ao|oes)|conforme|constitui|consumo'
             || '|contratac(ao|oes)|contratos?|continuad[ao]s?|corretiv[ao]s?|decorrentes?|demandas?|dest[ae]|destinad[ao]s?|diret[ao]s?|dispensa|divers[ao]s?|edital|elaborac(ao|oes)|eletronic[ao]s?'
             || '|empresas?|engenharia|entrega|equipamentos?|especializad[ao]s?|eventua(l|is)|execuc(ao|oes)|fins|forma|fornecimentos?|futur[ao]s?|generos?'
             || '|incluindo|instalac(ao|oes)|instrumento|insumos?|itens|juridicas?|licitac(ao|oes)|locac(ao|oes)|lotes?|mais|manutenc(ao|oes)|materia(l|is)|mediante|necessidades?'
             || '|objetivando|objetos?|objetivo|obras?|para|parcelad[ao]s?|pela|pelo|pessoas?|precos?|presente|prestac(ao|oes)|preventiv[ao]s?|proc|processo'
             || '|produtos?|propostas?|realizac(ao|oes)|referente|registro|relativ[ao]s?|selec(ao|oes)|servicos?|sobre|suprir|tecnic[ao]s?|termo|tipos?|unidades?|vantajosas?|vari[ao]s|vistas|visando)\b', ' ', 'g'),
             '\b([a-z]{3}[a-z]+?)s?\b', 1), '') as thing,
           regexp_extract(f.said, '\bcamp(?:us|i) (?:de |da |do |dos |das )?([a-z]+)', 1) as campus
    from   (select t.*, trim(regexp_replace(lower(strip_accents(coalesce(t.object, ''))), '[^a-z0-9]+', ' ', 'g')) as said
            from   fitting t where t.subject_id in (select subject_id from doubtful)) f
),
alike as (
    select a.subject_id, a.waiver_id as hub, b.waiver_id, b.value
    from   named a join named b on b.subject_id = a.subject_id
    where  a.waiver_id = b.waiver_id or ((a.supplier = b.supplier or a.thing = b.thing) and (a.campus = b.campus or a.campus = '' or b.campus = ''))
),
-- Of every waiver and those like it the greatest sum.
fullest as (
    select subject_id, hub, row_number() over (partition by subject_id order by sum(value) desc, hub) as place
    from   alike group by subject_id, hub
),
counted as (
    select a.subject_id, a.waiver_id from alike a join fullest f on f.subject_id = a.subject_id and f.hub = a.hub where f.place = 1
),
kept as (
    select f.*, row_number() over (partition by f.subject_id order by f.value desc, f.waiver_id) as place
    from   fitting f left join counted c on c.subject_id = f.subject_id and c.waiver_id = f.waiver_id
    where  c.subject_id is not null or f.subject_id not in (select subject_id from doubtful)
),
-- Where the limit rose within the year the greatest one counts.
sums as (
    select subject_id, min(group_key) as group_key, min(source) as source, min(buyer_id) as buyer_id, min(body) as buyer_name,
           min(regime) as regime, min(activity) as activity, min(article) as article, arg_max(act, limit_amount) as act,
           arg_max(from_on, limit_amount) as law_from, arg_max(until_on, limit_amount) as law_to,
           max(limit_amount) as limit_amount, bool_or(inclusive) as inclusive, count(*) as n, sum(value) as total,
           min(first_on) as first_on, max(last_on) as last_on, count(distinct supplier) as suppliers,
           sum(days_derived) as days_derived, sum(entries) as entries, min(tbl) as tbl,
           string_agg(case when place <= 8 then replace(cast(cast(value as decimal(18,2)) as varchar), '.', ',') end, ' + ' order by place)
             || case when count(*) > 8 then ' + …' else '' end as parts,
           string_agg(contract_ids, chr(31) order by first_on, waiver_id) as contract_ids,
           string_agg(member_rows, chr(31) order by first_on, waiver_id) as member_rows
    from   kept group by subject_id
),
by_supplier as (
    select subject_id, supplier, sum(value) as value, count(*) as n, min(supplier_id) as supplier_id, min(supplier_name) as supplier_name,
           row_number() over (partition by subject_id order by sum(value) desc, supplier) as place
    from   kept where supplier is not null group by subject_id, supplier
),
judged as (
    select s.*, d.n - s.n as left_n, d.total - s.total as left_value, s.total > s.limit_amount or (not s.inclusive and s.total = s.limit_amount) as exceeds,
           d.subject_id is not null as doubtful
    from   sums s left join doubtful d on d.subject_id = s.subject_id
),
-- Groups whose waivers are all beyond the limit or small repairs have nothing to add up.
empty_groups as (
    select subject_id, min(group_key) as group_key, min(source) as source, max(limit_amount) as limit_amount
    from   members where subject_id not in (select f.subject_id from fitting f) group by subject_id
)
select s.subject_id, s.group_key, s.source,
       case when s.doubtful and not s.exceeds then 'not_computable' when s.exceeds and s.n >= $waivers_min then 'hit' else 'clear' end as outcome,
       case when s.doubtful and not s.exceeds then s.tbl || '.activity_basis' end as missing,
       case when s.exceeds or not s.doubtful then s.total end as measure,
       s.limit_amount                            as threshold,
       case when s.exceeds then s.n end          as tip_waivers_min,
       -- The line of activity is read from texts, so no finding here is of high severity, and where no supplier joins the
       -- waivers either, of the least.
       case when t.value > s.limit_amount or (not s.inclusive and t.value = s.limit_amount) then 'medium' else 'low' end as severity,
       s.total                                   as amount,
       s.last_on                                 as as_of,
       s.buyer_id, s.buyer_name, t.supplier_id, t.supplier_name, s.contract_ids, s.entries as rows_read, s.member_rows,
       s.n as ev_n, s.first_on as ev_first_on, s.last_on as ev_last_on, s.activity as ev_activity, s.article as ev_article, s.act as ev_act,
       case s.regime when 'lei_14133' then 'Lei 14.133/2021' when 'lei_8666' then 'Lei 8.666/1993' else s.regime end as ev_regime_label,
       s.law_from as ev_law_from, nullif(s.law_to, date '9999-12-31') as ev_law_to, s.limit_amount as ev_law_limit,
       s.parts as ev_sum, case when s.inclusive then '>' else '≥' end as ev_sign,
       t.n as ev_top_n, t.value as ev_top_value, s.suppliers as ev_suppliers,
       nullif(s.left_n, 0) as ev_left_n, s.left_value as ev_left_value,
       nullif(s.days_derived, 0)                 as ev_days_derived,
       case when s.doubtful then 'possible' end  as ex_distinct_activity,
       'ruled_out'                               as ex_emergency,
       case when s.total < 2 * s.limit_amount or (s.inclusive and s.total = 2 * s.limit_amount) then 'possible' else 'ruled_out' end as ex_doubled_limit,
       case when t.value > s.limit_amount or (not s.inclusive and t.value = s.limit_amount) then 'ruled_out'
            when s.suppliers > 1 then 'possible' end as ex_several_suppliers
from   judged s left join by_supplier t on t.subject_id = s.subject_id and t.place = 1
union all by name
select subject_id, group_key, source, 'clear' as outcome, cast(0 as decimal(18,4)) as measure, limit_amount as threshold from empty_groups
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from limited where missing is not null
