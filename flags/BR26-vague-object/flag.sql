-- One row per tender: does any word or number of its object say what is bought, or how much of it?
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
listed as (
    select i.tender_id, count(*) as n from items i where i.tender_id is not null and i.description is not null group by i.tender_id
)
select t.id                                      as subject_id,
       t.source || '|' || coalesce(t.buyer_id, '?') as group_key,
       t.source,
       case when p.row_id is null                then 'not_computable'
            when p.value <= $specific_max and not p.has_number then 'hit'
            else 'clear' end                     as outcome,
       case when p.row_id is null                then 'tenders.object' end as missing,
       p.value                                   as measure,
       $specific_max                             as threshold,
       case when not p.has_number then p.value end as tip_specific_max,
       'low'                                     as severity,
       coalesce(t.value_awarded, t.value_estimated) as amount,
       coalesce(t.published_on, t.opened_on, t.result_on, t.partition_on) as as_of,
       t.buyer_id, coalesce(b.name, t.buyer_name) as buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       cast(null as varchar) as contract_ids, 1  as rows_read,
       p.peer_key, c.n as peer_n, round(c.med, 2) as peer_median, round(d.mad, 2) as peer_mad, p.value as peer_marked,
       t.object as ev_object, length(t.object) as ev_length, p.words as ev_words, p.words - p.value as ev_generic, cast($specific_max as integer) + 1 as ev_clear_words, t.number as ev_number, l.n as ev_items,
       case when l.n > 0 then 'possible' end     as ex_items_say
from   tenders t
left join peers p on p.row_id = t.id
left join buyers b on b.id = t.buyer_id
left join crowd c on c.peer_key = p.peer_key
left join deviation d on d.peer_key = p.peer_key
left join listed l on l.tender_id = t.id
where  in_scope(t.source || '|' || coalesce(t.buyer_id, '?'))
