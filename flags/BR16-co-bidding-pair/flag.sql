-- One row per pair of bidders that met at least twice (see peers.sql), and one per tender that says too little of who
-- bid to be counted among the meetings.
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
spread as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
measured as (
    select *, greatest(one_wins, other_wins) as wins, one_wins >= other_wins as one_leads,
           joint >= $joint_min and value >= $jaccard_min and lift > $lift_min as together
    from   peers where in_scope(peer_key)
),
judged as (
    select *,
           case when not together                                        then 'clear'
                when wins >= $win_share_min * joint                      then 'hit'
                -- Meetings whose winner is not known could still make it one.
                when wins + undecided >= $win_share_min * joint          then 'not_computable'
                else 'clear' end as outcome
    from   measured
),
hits as (
    select * from judged where outcome = 'hit'
),
ranks as (
    select h.row_id, round(100.0 * count(case when p.value <= h.value then 1 end) / count(*), 1) as percentile
    from   hits h join peers p on p.peer_key = h.peer_key group by h.row_id
),
-- The tenders in which both bid for one lot, and the contracts with either that came of them.
met as (
    select distinct h.row_id, a.tender_id
    from   hits h
    join   bids a on coalesce(a.bidder_root, case when a.bidder_id like 'cnpj:%' then substr(a.bidder_id, 6, 8) end, a.bidder_id) = h.one
    join   bids b on b.tender_id = a.tender_id and coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id) = h.other
                 and coalesce(b.lot, '') = coalesce(a.lot, '') and coalesce(b.item_number, '') = coalesce(a.item_number, '')
    join   tenders t on t.id = a.tender_id join buyers u on u.id = t.buyer_id
    where  t.activity || '|' || u.state = h.peer_key
),
dates as (
    select m.row_id, max(coalesce(t.result_on, t.opened_on, t.published_on, t.partition_on)) as as_of,
           min(coalesce(t.result_on, t.opened_on, t.published_on, t.partition_on)) as since,
           count(distinct t.buyer_id) as buyers, min(t.buyer_id) as buyer_id, min(t.buyer_name) as buyer_name
    from   met m join tenders t on t.id = m.tender_id group by m.row_id
),
signed as (
    select m.row_id, string_agg(c.id, chr(31) order by c.id) as contract_ids, sum(coalesce(c.value_initial, c.value_final)) as amount
    from   met m join hits h on h.row_id = m.row_id join contracts c on c.tender_id = m.tender_id
    where  not c.income and c.currency = 'BRL' and coalesce(c.supplier_root, c.supplier_id) in (h.one, h.other) group by m.row_id
)
select j.row_id as subject_id, j.peer_key as group_key, j.source, j.outcome,
       case when j.outcome = 'not_computable' then 'bids.won' end as missing,
       j.value                                   as measure,
       $jaccard_min                              as threshold,
       case when j.joint >= $joint_min and j.lift > $lift_min and j.wins >= $win_share_min * j.joint then j.value end as tip_jaccard_min,
       case when j.value >= $jaccard_min and j.lift > $lift_min and j.wins >= $win_share_min * j.joint then j.joint end as tip_joint_min,
       case when j.joint >= $joint_min and j.value >= $jaccard_min and j.wins >= $win_share_min * j.joint then j.lift end as tip_lift_min,
       case when j.together then cast(j.wins as double) / j.joint end as tip_win_share_min,
       'low'                                     as severity,
       s.amount, d.as_of,
       case when d.buyers = 1 then d.buyer_id end as buyer_id, case when d.buyers = 1 then d.buyer_name end as buyer_name,
       case when j.one_leads then j.one_id else j.other_id end as supplier_id,
       case when j.one_leads then j.one_name else j.other_name end as supplier_name,
       s.contract_ids,
       j.joint                                   as rows_read,
       j.peer_key, c.n as peer_n, round(c.med, 4) as peer_median, round(m.mad, 4) as peer_mad, j.value as peer_marked,
       r.percentile                              as peer_percentile,
       split_part(j.peer_key, '|', 1) as ev_activity, split_part(j.peer_key, '|', 2) as ev_state, d.since as ev_since,
       case when j.one_leads then j.other_name else j.one_name end as ev_loser,
       j.joint as ev_joint, j.one_tenders + j.other_tenders - j.joint as ev_either, j.market_tenders as ev_market_tenders,
       case when j.one_leads then j.one_tenders else j.other_tenders end as ev_winner_tenders,
       case when j.one_leads then j.other_tenders else j.one_tenders end as ev_loser_tenders,
       j.wins as ev_wins, cast(j.wins as double) / j.joint as ev_win_share, j.lift as ev_lift,
       case when d.buyers = 1 then 'possible' when d.buyers > 1 then 'ruled_out' end as ex_one_buyer
from   judged j
left join crowd c on c.peer_key = j.peer_key
left join spread m on m.peer_key = j.peer_key
left join ranks r on r.row_id = j.row_id
left join dates d on d.row_id = j.row_id
left join signed s on s.row_id = j.row_id
union all by name
select t.id as subject_id, coalesce(t.activity || '|' || u.state, '?') as group_key, t.source, 'not_computable' as outcome,
       case when t.activity is null then 'tenders.activity' when u.state is null then 'buyers.state'
            when k.nameless > 0 and k.named < 2 then 'bids.bidder_id'
            when k.named >= 2 and k.decided = 0 then 'bids.won' else 'bids' end as missing
from   tenders t left join buyers u on u.id = t.buyer_id
left join (select tender_id, count(distinct coalesce(bidder_root, case when bidder_id like 'cnpj:%' then substr(bidder_id, 6, 8) end, bidder_id)) as named,
                  count(case when coalesce(bidder_root, case when bidder_id like 'cnpj:%' then substr(bidder_id, 6, 8) end, bidder_id) is null then 1 end) as nameless,
                  count(case when won = false then 1 end) as losers, count(won) as decided
           from bids group by tender_id) k on k.tender_id = t.id
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'rdc', 'concurso', 'dialogo_competitivo')
and    t.currency = 'BRL' and in_scope(coalesce(t.activity || '|' || u.state, '?'))
and    (t.activity is null or u.state is null or coalesce(k.named, 0) < 2 or k.losers = 0)
