-- One row per community of bidders (see `bidder_communities`): are wins shared alike among all members, and do winners repeat
-- less than in any order by chance? The p-values of a market are corrected together (Benjamini–Hochberg).
with measured as (
    select c.*, case when undecided > 0       then 'bids.won'
                     when undated > 0         then 'tenders.result_on'
                     when wins < $wins_min    then 'tenders' end as missing
    from   bidder_communities c where in_scope(c.market)
),
ranked as (
    select m.*, case when missing is null then count(*) over (partition by market, missing is null) end as tests,
           case when missing is null then rank() over (partition by market, missing is null order by p) end as place
    from   measured m
),
stepped as (
    -- Of equal p-values all have the place of the last.
    select r.*, case when missing is null then p * tests / (place - 1 + count(*) over (partition by market, missing is null, p)) end as step
    from   ranked r
),
corrected as (
    select s.*, case when missing is null then least(1, min(step) over (partition by market, missing is null order by p desc range between unbounded preceding and current row)) end as q
    from   stepped s
),
judged as (
    select c.*, case when missing is not null                                                             then 'not_computable'
                     when entropy >= $entropy_min and q < $p_max and wins >= $inside_min * (wins + outside) then 'hit'
                     else 'clear' end as outcome
    from   corrected c
),
crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
spread as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
ranks as (
    select j.subject_id, round(100.0 * count(case when p.value <= j.entropy then 1 end) / count(*), 1) as percentile
    from   judged j join peers p on p.peer_key = j.market where j.outcome = 'hit' group by j.subject_id
),
named as (
    select subject_id, string_agg(coalesce(name, bidder) || ' (' || wins || ')', ', ' order by wins desc, bidder) as members
    from   community_members group by subject_id
),
signed as (
    select t.subject_id, string_agg(c.id, chr(31) order by c.id) as contract_ids, sum(coalesce(c.value_initial, c.value_final)) as amount
    from   community_tenders t join judged j on j.subject_id = t.subject_id and j.outcome = 'hit' join contracts c on c.tender_id = t.tender_id
    where  not c.income and c.currency = 'BRL'
    and    coalesce(c.supplier_root, c.supplier_id) in (select m.bidder from community_members m where m.subject_id = t.subject_id)
    group  by t.subject_id
),
bought as (
    select t.subject_id, count(distinct x.buyer_id) as buyers, min(x.buyer_id) as buyer_id, min(x.buyer_name) as buyer_name
    from   community_tenders t join tenders x on x.id = t.tender_id group by t.subject_id
)
select j.subject_id, j.market as group_key, j.source, j.outcome, j.missing,
       round(j.entropy, 6)                       as measure,
       $entropy_min                              as threshold,
       case when j.missing is null and j.q < $p_max and j.wins >= $inside_min * (j.wins + j.outside) then j.entropy end as tip_entropy_min,
       case when j.missing is null and j.entropy >= $entropy_min and j.wins >= $inside_min * (j.wins + j.outside) then j.q end as tip_p_max,
       case when j.missing is null and j.entropy >= $entropy_min and j.q < $p_max then cast(j.wins as double) / (j.wins + j.outside) end as tip_inside_min,
       'low'                                     as severity,
       s.amount, j.last_on                       as as_of,
       case when b.buyers = 1 then b.buyer_id end as buyer_id, case when b.buyers = 1 then b.buyer_name end as buyer_name,
       cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name, s.contract_ids,
       j.met                                     as rows_read,
       j.market as peer_key, c.n as peer_n, round(c.med, 4) as peer_median, round(m.mad, 4) as peer_mad, round(j.entropy, 6) as peer_marked,
       r.percentile                              as peer_percentile,
       split_part(j.market, '|', 1) as ev_activity, split_part(j.market, '|', 2) as ev_state, j.members as ev_count, n.members as ev_members,
       j.wins as ev_wins, j.met as ev_met, j.outside as ev_outside, j.shared as ev_shared, j.repeats as ev_repeats,
       round(j.expected, 4) as ev_expected, round(j.p, 6) as ev_p, round(j.q, 6) as ev_q, j.first_on as ev_first_on,
       case when j.shared > 0 then 'possible' else 'ruled_out' end as ex_several_lots,
       case when b.buyers = 1 then 'possible' when b.buyers > 1 then 'ruled_out' end as ex_one_buyer
from   judged j
left join crowd c on c.peer_key = j.market
left join spread m on m.peer_key = j.market
left join ranks r on r.subject_id = j.subject_id
left join named n on n.subject_id = j.subject_id
left join signed s on s.subject_id = j.subject_id
left join bought b on b.subject_id = j.subject_id
union all by name
select t.id as subject_id, coalesce(t.activity || '|' || u.state, '?') as group_key, t.source, 'not_computable' as outcome,
       case when t.activity is null then 'tenders.activity' when u.state is null then 'buyers.state'
            when k.nameless > 0 and k.named < 2 then 'bids.bidder_id'
            when k.named >= 2 and k.decided = 0 then 'bids.won' else 'bids' end as missing
from   tenders t left join buyers u on u.id = t.buyer_id
left join (select b.tender_id, count(distinct coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id)) as named,
                  count(case when coalesce(b.bidder_root, b.bidder_id) is null then 1 end) as nameless,
                  count(case when b.won = false then 1 end) as losers, count(b.won) as decided
           from bids b group by b.tender_id) k on k.tender_id = t.id
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'rdc', 'concurso', 'dialogo_competitivo')
and    t.currency = 'BRL' and in_scope(coalesce(t.activity || '|' || u.state, '?'))
and    (t.activity is null or u.state is null or coalesce(k.named, 0) < 2 or k.losers = 0)
