-- One row per contract that has an amendment: do its additions exceed the share of the law?
--
-- What a term does is read from its nature and its words. A term that speaks of an addition, and of neither term nor
-- price, adds; one that speaks of term or price alone does not; of any other it is not known. A hit needs the known
-- additions alone to exceed the share, clear needs even the unknown ones to stay within it.
with amended as (
    select a.id, coalesce(a.contract_id, a.id) as subject_id, a.contract_id, a.source, a.kind, a.value, a.signed_on,
           lower(strip_accents(coalesce(a.nature, '') || ' ' || coalesce(a.object, ''))) as words
    from   amendments a
    where  coalesce(a.currency, 'BRL') = 'BRL' and a.kind <> 'termination' and in_scope(coalesce(a.contract_id, a.id))
),
spoken as (
    select *, regexp_matches(words, 'pror?rog|renova|vigencia|prazo|periodo') as of_term,
           regexp_matches(words, 'reajust|repactua|reequilib|revisao|revisa|correcao monetaria|atualizac|apostil|inpc|ipca|igpm|igp-m') or kind = 'apostille' as of_price,
           regexp_matches(words, 'acresc|acrescim|quantitativ|supress|suprim|decresc|aument|ampliac|servicos extras|inclusao de') as of_object
    from   amended
),
classed as (
    select *, case when of_object and not of_term and not of_price then 'object'
                   when of_price and not of_object and not of_term then 'price'
                   when of_term and not of_object and not of_price and coalesce(value, 0) = 0 then 'term'
                   when of_term and not of_object and not of_price then 'term'
                   else 'unknown' end as class
    from   spoken
),
sums as (
    select subject_id, min(contract_id) as contract_id, min(source) as source, max(signed_on) as as_of, count(*) as terms,
           sum(case when class = 'object' and value > 0 then value else 0 end) as additions,
           count(case when class = 'object' and value > 0 then 1 end) as n,
           sum(case when class = 'unknown' and value > 0 then value else 0 end) as unknown_additions,
           count(case when class in ('object', 'unknown') and value is null then 1 end) as without_value,
           sum(case when class = 'price' and value > 0 then value else 0 end) as adjustments,
           count(case when class = 'price' and value is null then 1 end) as adjustments_unknown,
           string_agg(case when class = 'object' and value > 0 then replace(cast(cast(value as decimal(18,2)) as varchar), '.', ',') end, ' + ' order by signed_on, id) as parts
    from   classed group by subject_id
),
contracted as (
    select s.*, c.id as known_contract, c.income, c.currency, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, c.supplier_id, c.supplier_name,
           c.value_initial, c.signed_on, lower(strip_accents(c.object)) as object,
           f.form,
           -- Without a stated basis the law is known only on days when no more than one general law had begun.
           coalesce(c.regime, t.regime, case when c.legal_basis is null and t.legal_basis is null and
               (select count(*) from regimes r where r.general and r.from_on <= c.signed_on) = 1
               then (select min(r.regime) from regimes r where r.general and r.from_on <= c.signed_on) end) as regime
    from   sums s
    left join contracts c on c.id = s.contract_id
    left join tenders t on t.id = c.tender_id
    left join buyers b on b.id = c.buyer_id
    left join buyer_forms f on f.buyer_id = c.buyer_id
),
weighed as (
    select c.*, case when c.object is null or not contains(c.object, 'reforma') then l.share else r.share end as least_share,
           case when c.object is null or contains(c.object, 'reforma') then r.share else l.share end as greatest_share,
           case when contains(c.object, 'reforma') then r.article else l.article end as article,
           case when contains(c.object, 'reforma') then r.act else l.act end as act, l.from_on as law_from, l.until_on as law_to,
           c.value_initial + c.adjustments as base
    from   contracted c
    left join amendment_shares l on l.regime = c.regime and l.change = 'addition' and c.signed_on between l.from_on and l.until_on
    left join amendment_shares r on r.regime = c.regime and r.change = 'addition_in_renovation' and c.signed_on between r.from_on and r.until_on
),
judged_terms as (
    select *,
           case when contract_id is null                          then 'amendments.contract_id'
                when known_contract is null                       then 'contracts'
                when value_initial is null or value_initial <= 0  then 'contracts.value_initial'
                when signed_on is null                            then 'contracts.signed_on'
                when regime is null                               then 'contracts.regime'
                when form = 'state_company'                       then 'buyers.form'
                when least_share is null                          then 'law.amendment_shares'
                -- Additions certain and above the greatest share that may apply: nothing unknown can undo it but the base.
                when additions > greatest_share * base and adjustments_unknown > 0 then 'amendments.value'
                when additions > greatest_share * base            then null
                when additions > least_share * base               then 'contracts.object'
                when without_value > 0                            then 'amendments.value'
                when additions + unknown_additions > least_share * base then 'amendments.nature' end as missing
    from   weighed
    where  not coalesce(income, false) and coalesce(currency, 'BRL') = 'BRL'
)
select j.subject_id, j.subject_id as group_key, j.source,
       case when j.missing is not null then 'not_computable' when j.additions > j.greatest_share * j.base then 'hit' else 'clear' end as outcome,
       j.missing,
       case when j.missing is null then round(cast(j.additions as double) / cast(j.base as double), 6) end as measure,
       j.greatest_share                          as threshold,
       'medium'                                  as severity,
       j.additions                               as amount,
       coalesce(j.as_of, j.signed_on)            as as_of,
       j.buyer_id, j.buyer_name, j.supplier_id, j.supplier_name, j.contract_id as contract_ids, 1 + j.terms as rows_read,
       j.additions as ev_additions, j.base as ev_base, j.n as ev_n, j.parts as ev_sum, j.article as ev_article, j.act as ev_act,
       case j.regime when 'lei_14133' then 'Lei 14.133/2021' when 'lei_8666' then 'Lei 8.666/1993' when 'lei_10520' then 'Lei 10.520/2002' else j.regime end as ev_regime_label,
       j.law_from as ev_law_from, nullif(j.law_to, date '9999-12-31') as ev_law_to, j.greatest_share as ev_law_limit,
       j.adjustments as ev_adjustments,
       case when j.greatest_share > 0 and j.base > 0 then cast(j.additions as double) / (j.greatest_share * cast(j.base as double)) - 1 end as ev_needed,
       'possible' as ex_updated_value,
       'ruled_out' as ex_renewal,
       case when j.additions > j.base / 2 or contains(j.object, 'reforma') then 'ruled_out' else 'possible' end as ex_renovation
from   judged_terms j
