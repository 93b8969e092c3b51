-- One row per tender in a competitive modality: how many took part? Not knowing is never one.
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
place as (
    select peer_key, round(100.0 * count(case when value <= 1 then 1 end) / count(*), 1) as percentile from peers group by peer_key
)
select t.id                                      as subject_id,
       coalesce(t.modality, '?') || '|' || coalesce(t.source, '?') as group_key,
       t.source,
       case when t.modality is null or p.value is null then 'not_computable' when p.value = 1 then 'hit' else 'clear' end as outcome,
       case when t.modality is null then 'tenders.modality' 
            when p.value is null and t.source in ('portal-licitacoes', 'portal-api', 'licitacon-rs') then 'bids'
            when p.value is null then 'tenders.bidders' end as missing,
       p.value                                   as measure,
       1                                         as threshold,
       case when coalesce(t.value_awarded, t.value_estimated) >= $large_min then 'medium' else 'low' end as severity,
       case when coalesce(t.currency, 'BRL') = 'BRL' then coalesce(t.value_awarded, t.value_estimated) end as amount,
       coalesce(t.result_on, t.closes_on, t.opened_on, t.published_on) as as_of,
       t.buyer_id, coalesce(b.name, t.buyer_name) as buyer_name,
       case when p.listed = 1 then p.bidder_id end as supplier_id, case when p.listed = 1 then p.bidder_name end as supplier_name,
       (select string_agg(c.id, chr(31) order by c.id) from contracts c where c.tender_id = t.id) as contract_ids,
       1 + coalesce(p.listed, 0)                 as rows_read,
       p.peer_key, c.n as peer_n, c.med as peer_median, d.mad as peer_mad, 1 as peer_marked, pl.percentile as peer_percentile,
       t.number as ev_number, coalesce(t.modality_as_stated, t.modality) as ev_modality,
       case p.basis when 'stated' then 'número informado pela fonte' else 'contagem da lista de participantes' end as ev_basis,
       case when coalesce(t.value_awarded, t.value_estimated) < $large_min then 'possible'
            when coalesce(t.value_awarded, t.value_estimated) >= $large_min then 'ruled_out' end as ex_small_purchase,
       case p.basis when 'stated' then 'ruled_out' else 'possible' end as ex_incomplete_list
from   tenders t
left join peers p on p.row_id = t.id
left join crowd c on c.peer_key = p.peer_key
left join deviation d on d.peer_key = p.peer_key
left join place pl on pl.peer_key = p.peer_key
left join buyers b on b.id = t.buyer_id
where  (t.modality is null or t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo'))
and    coalesce(t.currency, 'BRL') = 'BRL'
and    in_scope(coalesce(t.modality, '?') || '|' || coalesce(t.source, '?'))
