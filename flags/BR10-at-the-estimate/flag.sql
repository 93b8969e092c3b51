-- One row per contested tender: how far below the estimate was it awarded? Both amounts are those of the whole tender.
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
placed as (
    select peer_key, row_id, round(100.0 * rank() over (partition by peer_key order by value) / count(*) over (partition by peer_key), 1) as percentile from peers
),
contests as not materialized (
    select t.*, coalesce(b.name, t.buyer_name) as body,
           coalesce(t.modality || '|' || cast(year(coalesce(t.published_on, t.result_on, t.opened_on)) as varchar), '?') as group_key,
           case when t.regime is null                                      then 'tenders.regime'
                when t.modality is null                                    then 'tenders.modality'
                when t.value_estimated is null or t.value_estimated <= 0   then 'tenders.value_estimated'
                when t.value_awarded is null or t.value_awarded <= 0       then 'tenders.value_awarded'
                when case when regexp_matches(lower(t.object), 'cess|permiss|aliena|folha') then regexp_matches(' ' || trim(regexp_replace(lower(strip_accents(coalesce(t.object, ''))), '[^a-z0-9]+', ' ', 'g')) || ' ',
                 ' (concess(ao|oes)|permiss(ao|oes)|cess(ao|oes) (onerosas? )?d[eoa] (direito de )?(uso d[eoa] )?(espacos?|areas?|imove(l|is))|alienac(ao|oes)|folhas? de pagamentos?) ') else false end then 'tenders.income' end as missing,
           case when t.value_estimated > 0 and t.value_awarded > 0
                then cast(t.value_estimated - t.value_awarded as double) / cast(t.value_estimated as double) end as discount
    from   tenders t left join buyers b on b.id = t.buyer_id
    where  (t.modality is null or t.modality in ('pregao', 'concorrencia', 'concurso', 'dialogo_competitivo'))
    and    (t.regime is null or t.regime = 'lei_14133') and coalesce(t.currency, 'BRL') = 'BRL'
    and    not regexp_matches(lower(strip_accents(coalesce(t.criterion, ''))), 'maior (lance|oferta|retorno|valor)')
    and    in_scope(coalesce(t.modality || '|' || cast(year(coalesce(t.published_on, t.result_on, t.opened_on)) as varchar), '?'))
),
-- Told of the hits alone.
signed as (
    select tender_id, string_agg(id, chr(31) order by id) as contract_ids
    from   contracts where tender_id in (select id from contests where missing is null and discount <= $discount_max) group by tender_id
)
select s.id as subject_id, s.group_key, s.source,
       case when s.missing is not null then 'not_computable' when s.discount <= $discount_max then 'hit' else 'clear' end as outcome,
       s.missing,
       case when s.missing is null then round(s.discount, 6) end as measure,
       $discount_max                             as threshold,
       case when s.missing is null then s.discount end as tip_discount_max,
       case when s.value_awarded > s.value_estimated then 'medium' else 'low' end as severity,
       s.value_awarded                           as amount,
       coalesce(s.result_on, s.closes_on, s.published_on, s.opened_on) as as_of,
       s.buyer_id, s.body as buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       g.contract_ids,
       1                                         as rows_read,
       s.group_key as peer_key, c.n as peer_n, round(c.med, 4) as peer_median, round(d.mad, 4) as peer_mad, round(s.discount, 6) as peer_marked, p.percentile as peer_percentile,
       s.number as ev_number, coalesce(s.modality_as_stated, s.modality) as ev_modality, s.value_estimated as ev_estimate,
       s.activity as ev_activity,
       -- Tariffs, post and official gazettes have set prices; medicines have a ceiling (CMED).
       case when s.activity in ('agua_esgoto', 'energia', 'correios', 'publicacao_oficial', 'medicamentos') then 'possible' end as ex_fixed_price,
       case when s.value_awarded > s.value_estimated then 'possible' else 'ruled_out' end as ex_scope_of_amounts,
       case when s.value_awarded = s.value_estimated then 'possible' else 'ruled_out' end as ex_negotiated,
       case when regexp_matches(lower(strip_accents(coalesce(s.object, ''))),
                 '(^|[^a-z])(genuin[ao]s?|marcas?|fabricantes?|pecas originais|licenc(a|as|iamento)|subscric(ao|oes)|software)([^a-z]|$)') then 'possible' end as ex_one_brand
from   contests s
left join signed g on g.tender_id = s.id
left join crowd c on c.peer_key = s.group_key
left join deviation d on d.peer_key = s.group_key
left join placed p on p.row_id = s.id
