-- One row per buyer, year and line of activity. Contracts that lack a line of activity, a supplier or a date are counted
-- as not computable one by one, so that the account shows how much could not be judged.
with spending as (
    select c.id, c.source, c.buyer_id, c.supplier_id, c.supplier_root, c.supplier_name, c.signed_on, c.activity,
           c.activity_basis, c.modality, c.tender_id, t.number as tender_number, t.price_registration, coalesce(c.value_initial, c.value_final) as value,
           coalesce(c.activity, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?') as group_key,
           case when c.buyer_id is null  then 'contracts.buyer_id'
                when c.signed_on is null then 'contracts.signed_on'
                when coalesce(c.value_initial, c.value_final) is null then 'contracts.value'
                when c.activity is null  then 'contracts.activity' end as missing
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) > 0)
    and    in_scope(coalesce(c.activity, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?'))
),
groups as (
    select buyer_id || '|' || year(signed_on) || '|' || activity as subject_id, min(group_key) as group_key,
           min(source) as source, buyer_id, activity, year(signed_on) as y, count(*) as n, min(signed_on) as first_on, max(signed_on) as as_of,
           count(case when modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'rdc', 'concurso', 'leilao', 'dialogo_competitivo') then 1 end) as competitive,
           count(modality) as with_modality, min(activity_basis) as activity_basis
    from   spending where missing is null
    group  by buyer_id, activity, year(signed_on)
),
crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
judged as (
    select g.*, p.value as hhi, p.suppliers, p.named, p.unnamed_share, p.top_value, p.top_share, p.award_index, c.n as peer_n, c.med, d.mad,
           case when g.n < $contracts_min                       then 'contracts'
                when p.value is null                            then 'contracts.supplier_id'
                when p.unnamed_share > $unnamed_share_max       then 'contracts.supplier_id' end as missing
    from   groups g
    left join peers p on p.subject_id = g.subject_id
    left join crowd c on c.peer_key = g.group_key
    left join deviation d on d.peer_key = g.group_key
),
hits as (
    select * from judged where missing is null and hhi > $hhi_min and top_share > $top_share_min and award_index <= $award_index_max
),
shares as (
    select h.subject_id, coalesce(s.supplier_root, s.supplier_id) as supplier, min(s.supplier_name) as name,
           min(s.supplier_id) as supplier_id, sum(s.value) as value, string_agg(s.id, chr(31) order by s.id) as ids
    from   hits h join spending s on s.buyer_id = h.buyer_id and s.activity = h.activity and year(s.signed_on) = h.y
                                 and s.missing is null and coalesce(s.supplier_root, s.supplier_id) is not null
    group  by h.subject_id, coalesce(s.supplier_root, s.supplier_id)
),
-- The months that the sources of a hit hold of its year.
seen_months as (
    select distinct h.subject_id, m.m, m.pt, m.en
    from   hits h join spending s on s.buyer_id = h.buyer_id and s.activity = h.activity and year(s.signed_on) = h.y and s.missing is null
    join   held_months m on m.source = s.source and m.y = h.y
),
months_of as (
    select subject_id, count(*) as n, string_agg(pt, ', ' order by m) as pt, string_agg(en, ', ' order by m) as en
    from   seen_months group by subject_id
),
-- How much of the money of a hit came of its largest tender, and of how much the tender is not known.
by_tender as (
    select h.subject_id, s.tender_id, min(s.tender_number) as number, bool_or(coalesce(s.price_registration, false)) as registered, sum(s.value) as value
    from   hits h join spending s on s.buyer_id = h.buyer_id and s.activity = h.activity and year(s.signed_on) = h.y and s.missing is null
    group  by h.subject_id, s.tender_id
),
tenders_of as (
    select b.subject_id, coalesce(sum(case when tender_id is null then value end), 0) as unknown, sum(value) as total,
           max(case when tender_id is not null then value end) as largest, arg_max(case when tender_id is not null then coalesce(number, regexp_extract(tender_id, '[^:]+$')) end, case when tender_id is not null then value end) as number,
           arg_max(case when tender_id is not null then registered end, case when tender_id is not null then value end) as registered
    from   by_tender b group by b.subject_id
),
ranked as (
    select s.*, h.named, row_number() over (partition by s.subject_id order by s.value desc, s.supplier) as place
    from   shares s join hits h on h.subject_id = s.subject_id
),
described as (
    select subject_id, string_agg(ids, chr(31) order by place) as contract_ids,
           min(case when place = 1 then name end) as top_name, min(case when place = 1 then supplier_id end) as top_id,
           string_agg(case when place <= 5 then replace(cast(round(100.0 * cast(value as double) / cast(named as double), 2) as varchar), '.', ',') || '²' end, ' + ' order by place)
             || case when max(place) > 5 then ' + …' else '' end as shares
    from   ranked group by subject_id
)
select j.subject_id, j.group_key, j.source,
       case when j.missing is not null then 'not_computable' when h.subject_id is not null then 'hit' else 'clear' end as outcome,
       j.missing,
       j.hhi                                     as measure,
       $hhi_min                                  as threshold,
       case when j.missing is null and j.top_share > $top_share_min and j.award_index <= $award_index_max then j.hhi end as tip_hhi_min,
       case when j.missing is null and j.hhi > $hhi_min and j.award_index <= $award_index_max then j.top_share end as tip_top_share_min,
       case when j.missing is null and j.hhi > $hhi_min and j.top_share > $top_share_min then j.award_index end as tip_award_index_max,
       case when j.n >= $contracts_min and j.hhi > $hhi_min and j.top_share > $top_share_min and j.award_index <= $award_index_max
            then j.unnamed_share end             as tip_unnamed_share_max,
       -- Graver where other bodies show that it need not be so.
       case when j.peer_n >= 5 and j.med <= $hhi_min then 'medium' else 'low' end as severity,
       j.named                                   as amount,
       j.as_of, j.buyer_id, b.name as buyer_name, d.top_id as supplier_id, d.top_name as supplier_name, d.contract_ids,
       j.n                                       as rows_read,
       j.group_key as peer_key, j.peer_n, round(j.med, 2) as peer_median, round(j.mad, 2) as peer_mad, j.hhi as peer_marked,
       case when h.subject_id is not null then
           (select round(100.0 * count(case when p.value <= j.hhi then 1 end) / count(*), 1) from peers p where p.peer_key = j.group_key)
       end                                       as peer_percentile,
       j.y as ev_year, j.activity as ev_activity, j.n as ev_contracts, j.suppliers as ev_suppliers,
       j.top_value as ev_top_value, j.top_share as ev_top_share,
       d.shares as ev_shares, j.competitive as ev_competitive, j.first_on as ev_first_on,
       j.award_index as ev_award_index, $award_index_max as ev_award_index_max, $top_share_min as ev_top_share_min, m.n as ev_months_n, m.pt as ev_months, m.en as ev_months_en,
       t.number as ev_tender_number, cast(t.largest as double) / cast(t.total as double) as ev_tender_share,
       case when t.registered then ', por registro de preços,' else '' end as ev_tender_kind, case when t.registered then ', a price registration,' else '' end as ev_tender_kind_en,
       'ruled_out'                               as ex_one_large_contract,
       case when j.peer_n < 5 then 'possible' else 'ruled_out' end as ex_few_peers,
       case when m.n < 12 then 'possible' else 'ruled_out' end as ex_part_of_year,
       case when 2 * t.largest > t.total then 'likely' when t.unknown = 0 then 'ruled_out' end as ex_one_tender,
       case when j.peer_n >= 5 and j.med > $hhi_min then 'possible' when j.peer_n >= 5 then 'ruled_out' end as ex_few_providers,
       case j.activity_basis when 'text' then 'possible' end as ex_activity_from_text,
       case when j.competitive > 0 then 'possible' when j.with_modality = j.n then 'ruled_out' end as ex_competitive
from   judged j
left join described d on d.subject_id = j.subject_id
left join hits h on h.subject_id = j.subject_id
left join months_of m on m.subject_id = j.subject_id
left join tenders_of t on t.subject_id = j.subject_id
left join buyers b on b.id = j.buyer_id
union all by name
select s.id as subject_id, s.group_key, s.source, 'not_computable' as outcome, s.missing from spending s where s.missing is not null
