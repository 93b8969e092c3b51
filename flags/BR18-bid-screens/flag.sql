-- One row per lot that somebody bid for, judged against the percentiles of its market (`bid_screens` holds the screens),
-- and one per competitive tender of which no bid is known.
with markets as (
    select peer_key, count(*) as n, count(distinct tender_id) as tenders, median(value) as med,
           quantile_cont(value, $tail) as cv_low, quantile_cont(rd, 1 - $tail) as rd_high,
           quantile_cont(skewness, $tail) as skewness_low
    from   peers group by peer_key
),
spread as (
    select p.peer_key, median(abs(p.value - m.med)) as mad from peers p join markets m on m.peer_key = p.peer_key group by p.peer_key
),
measured as (
    select s.*, m.n, m.med, m.cv_low, m.rd_high, m.skewness_low,
           coalesce(s.missing, case when m.n < $peers_min or m.tenders < $tenders_min then 'peers' end) as lacks,
           s.rd > m.rd_high            as rd_beyond,
           s.skewness < m.skewness_low as skewness_beyond
    from   bid_screens s left join markets m on m.peer_key = s.group_key
    where  in_scope(s.group_key)
),
judged as (
    select *, case when lacks is not null then 'not_computable'
                   when cv < cv_low and (coalesce(rd_beyond, false) or coalesce(skewness_beyond, false)) then 'hit'
                   else 'clear' end as outcome
    from   measured
),
-- Where a hit stands among its peers.
ranks as (
    select j.subject_id, round(100.0 * count(case when p.value <= j.cv then 1 end) / count(*), 1) as percentile
    from   judged j join peers p on p.peer_key = j.group_key where j.outcome = 'hit' group by j.subject_id
),
winners as (
    select b.tender_id, coalesce(b.lot, '') as lot, coalesce(b.item_number, '') as item, min(b.bidder_id) as supplier_id,
           min(b.bidder_name) as supplier_name, max(b.value) as value
    from   bids b where b.won and b.tender_id in (select tender_id from judged where outcome = 'hit')
    group  by 1, 2, 3 having count(distinct coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id, b.bidder_name)) = 1
),
signed as (
    select tender_id, string_agg(id, chr(31) order by id) as contract_ids
    from   contracts where not income and tender_id in (select tender_id from judged where outcome = 'hit') group by tender_id
)
select j.subject_id, j.group_key, j.source, j.outcome,
       case when j.outcome = 'not_computable' then j.lacks end as missing,
       round(j.cv, 6)                            as measure,
       case when j.lacks is null then round(j.cv_low, 6) end as threshold,
       case when j.rd_beyond and j.skewness_beyond then 'medium' else 'low' end as severity,
       w.value                                   as amount,
       coalesce(t.result_on, t.opened_on, t.published_on, t.partition_on) as as_of,
       t.buyer_id, coalesce(u.name, t.buyer_name) as buyer_name, w.supplier_id, w.supplier_name,
       g.contract_ids,
       j.bidders                                 as rows_read,
       j.group_key as peer_key, j.n as peer_n, round(j.med, 6) as peer_median, round(s.mad, 6) as peer_mad,
       round(j.cv, 6)                            as peer_marked,
       r.percentile                              as peer_percentile,
       coalesce(nullif(trim(j.lot || ' ' || j.item), ''), 'único') as ev_lot,
       t.number as ev_number, t.activity as ev_activity, u.state as ev_state, j.bidders as ev_bidders,
       round(j.spd, 6) as ev_spd, round(j.diffp, 6) as ev_diffp, round(j.rd, 6) as ev_rd, round(j.skewness, 6) as ev_skewness,
       round(j.kurtosis, 6) as ev_kurtosis, round(j.ks, 6) as ev_ks,
       round(j.rd_high, 6) as ev_rd_high, round(j.skewness_low, 6) as ev_skewness_low,
       case when j.rd_beyond then 'sim' end as ev_rd_beyond, case when j.skewness_beyond then 'sim' end as ev_skewness_beyond,
       t.value_estimated as ev_estimate,
       case when t.value_estimated > 0 then 'possible' end as ex_known_estimate,
       case when t.modality = 'pregao' then 'possible'
            when t.regime = 'lei_8666' and t.modality in ('concorrencia', 'tomada_de_precos', 'convite') then 'ruled_out' end as ex_last_round,
       case when j.bidders < 6 then 'possible' else 'ruled_out' end as ex_few_bids
from   judged j
left join tenders t on t.id = j.tender_id
left join buyers u on u.id = t.buyer_id
left join spread s on s.peer_key = j.group_key
left join ranks r on r.subject_id = j.subject_id
left join winners w on w.tender_id = j.tender_id and w.lot = j.lot and w.item = j.item
left join signed g on g.tender_id = j.tender_id
union all by name
select t.id as subject_id, coalesce(t.activity || '|' || u.state, '?') as group_key, t.source, 'not_computable' as outcome, 'bids' as missing
from   tenders t left join buyers u on u.id = t.buyer_id
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'rdc', 'concurso', 'dialogo_competitivo')
and    t.currency = 'BRL' and in_scope(coalesce(t.activity || '|' || u.state, '?'))
and    t.id not in (select b.tender_id from bids b where b.tender_id is not null)
