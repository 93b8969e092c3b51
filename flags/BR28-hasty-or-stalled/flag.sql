-- One row per contested tender: how long from the proposals (their deadline, else the opening session) to the result?
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
placed as (
    select peer_key, row_id, round(100.0 * rank() over (partition by peer_key order by value) / count(*) over (partition by peer_key), 1) as percentile from peers
),
-- How many results a body entered on one day.
same_day as (
    select coalesce(modality, '?') || '|' || coalesce(source, '?') as group_key, buyer_id, result_on, count(*) as n
    from   tenders where buyer_id is not null and result_on is not null and in_scope(coalesce(modality, '?') || '|' || coalesce(source, '?'))
    group  by 1, 2, 3
),
contests as not materialized (
    select t.*, coalesce(b.name, t.buyer_name) as body, coalesce(t.closes_on, t.opened_on) as from_on,
           coalesce(t.modality, '?') || '|' || coalesce(t.source, '?') as group_key,
           t.modality || '|' || t.source || case when t.price_registration then '|registro de preços' else '' end as peer_key,
           date_diff('day', coalesce(t.closes_on, t.opened_on), t.result_on) as days,
           case t.modality when 'pregao' then $hasty_pregao_max else $hasty_max end as hasty,
           case when t.modality is null                                then 'tenders.modality'
                when coalesce(t.closes_on, t.opened_on) is null        then 'tenders.closes_on'
                when t.result_on is null                               then 'tenders.result_on'
                -- A result of nothing is no award.
                when t.value_awarded = 0                               then 'tenders.value_awarded'
                -- A result before the proposals: one of the two days is wrong.
                when t.result_on < coalesce(t.closes_on, t.opened_on)  then 'tenders.result_on' end as missing
    from   tenders t left join buyers b on b.id = t.buyer_id
    where  (t.modality is null or t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo'))
    and    coalesce(t.currency, 'BRL') = 'BRL' and in_scope(coalesce(t.modality, '?') || '|' || coalesce(t.source, '?'))
),
-- Told of the hits alone.
signed as (
    select tender_id, string_agg(id, chr(31) order by id) as contract_ids
    from   contracts where tender_id in (select id from contests where missing is null and (days <= hasty or days > $stalled_min)) group by tender_id
)
select s.id as subject_id, s.group_key, s.source,
       case when s.missing is not null then 'not_computable' when s.days <= s.hasty or s.days > $stalled_min then 'hit' else 'clear' end as outcome,
       s.missing,
       case when s.missing is null then s.days end as measure,
       case when s.days <= s.hasty then s.hasty else $stalled_min end as threshold,
       case when s.missing is not null then null when s.days > $stalled_min then cast('-infinity' as double)
            when s.modality <> 'pregao' then s.days when s.days <= s.hasty then cast('-infinity' as double) end as tip_hasty_max,
       case when s.missing is not null then null when s.days > $stalled_min then cast('-infinity' as double)
            when s.modality = 'pregao' then s.days when s.days <= s.hasty then cast('-infinity' as double) end as tip_hasty_pregao_max,
       case when s.missing is not null then null when s.days <= s.hasty then cast('infinity' as double) else s.days end as tip_stalled_min,
       'low'                                     as severity,
       coalesce(s.value_awarded, s.value_estimated) as amount,
       s.result_on                               as as_of,
       s.buyer_id, s.body as buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       g.contract_ids,
       1                                         as rows_read,
       s.peer_key, c.n as peer_n, c.med as peer_median, d.mad as peer_mad, s.days as peer_marked, p.percentile as peer_percentile,
       s.number as ev_number, coalesce(s.modality_as_stated, s.modality) as ev_modality, s.from_on as ev_from,
       s.hasty + 1 as ev_least, $stalled_min as ev_greatest, case when s.days > $stalled_min then '>' else '≤' end as ev_sign,
       case when s.price_registration then ' em registros de preços' else '' end as ev_kind, case when s.price_registration then ' among price registrations' else '' end as ev_kind_en,
       s.status as ev_status, s.bidders as ev_bidders, y.n as ev_same_day,
       case when s.days <= $stalled_min then 'ruled_out' when contains(lower(coalesce(s.status, '')), 'suspens') then 'likely' end as ex_suspended,
       case when s.days > $stalled_min then 'ruled_out' when s.bidders <= 2 then 'likely' when s.bidders > 2 then 'possible' end as ex_simple_contest,
       case when contains(lower(strip_accents(coalesce(s.status, ''))), 'alteracao') then 'likely' when y.n >= 5 then 'possible' end as ex_day_of_entry,
       case when not s.price_registration then 'ruled_out' when s.price_registration and s.days > $stalled_min then 'possible' end as ex_price_registration,
       case when case when regexp_matches(lower(s.object), 'cess|permiss|aliena|folha') then regexp_matches(' ' || trim(regexp_replace(lower(strip_accents(coalesce(s.object, ''))), '[^a-z0-9]+', ' ', 'g')) || ' ',
                 ' (concess(ao|oes)|permiss(ao|oes)|cess(ao|oes) (onerosas? )?d[eoa] (direito de )?(uso|espacos?|areas?)|alienac(ao|oes)|folhas? de pagamentos?) ') else false end then 'possible' end as ex_income
from   contests s
left join signed g on g.tender_id = s.id
left join crowd c on c.peer_key = s.peer_key
left join deviation d on d.peer_key = s.peer_key
left join placed p on p.row_id = s.id
left join same_day y on y.group_key = s.group_key and y.buyer_id = s.buyer_id and y.result_on = s.result_on
