-- The pairs of bidders of a market (line of activity × state) that met for the same lot in two tenders or more. Only
-- tenders of which a loser is known count: where all known bidders won, it is not known who else took part.
-- A bidder is a legal person: the root of its CNPJ, stated or read from the number.
with offers as (
    select b.tender_id, coalesce(b.lot, '') || '|' || coalesce(b.item_number, '') as lot,
           coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id) as bidder,
           min(t.activity || '|' || u.state) as market, bool_or(b.won) as won, count(b.won) as decided, min(b.bidder_name) as name,
           min(b.bidder_id) as bidder_id, min(t.source) as source
    from   bids b join tenders t on t.id = b.tender_id join buyers u on u.id = t.buyer_id
    where  t.currency = 'BRL' and t.activity is not null and u.state is not null and in_scope(t.activity || '|' || u.state)
    and    coalesce(b.bidder_root, b.bidder_id) is not null
    and    coalesce(t.modality, '') not in ('dispensa', 'inexigibilidade', 'credenciamento', 'leilao')
    group  by 1, 2, 3
),
contested as (
    select tender_id from offers group by tender_id
    having count(distinct bidder) > 1 and count(case when won = false then 1 end) > 0
),
known as (
    select o.* from offers o join contested c on c.tender_id = o.tender_id
),
sizes as (
    select market, bidder, count(distinct tender_id) as tenders, min(name) as name, min(bidder_id) as bidder_id from known group by market, bidder
),
markets as (
    select market, count(distinct tender_id) as tenders, min(source) as source from known group by market
),
-- One row per pair and tender: what became of the lots that both bid for.
meetings as (
    select a.market, a.tender_id, a.bidder as one, b.bidder as other,
           bool_or(coalesce(a.won, false)) as one_won, bool_or(coalesce(b.won, false)) as other_won,
           min(case when a.decided > 0 and b.decided > 0 then 1 else 0 end) as decided
    from   known a join known b on b.tender_id = a.tender_id and b.lot = a.lot and b.bidder > a.bidder
    group  by a.market, a.tender_id, a.bidder, b.bidder
),
pairs as (
    select market, one, other, count(*) as joint,
           count(case when decided = 1 and one_won and not other_won then 1 end) as one_wins,
           count(case when decided = 1 and other_won and not one_won then 1 end) as other_wins,
           count(case when decided = 0 then 1 end) as undecided
    from   meetings group by market, one, other having count(*) >= 2
),
-- Step by step: joined in any order, the bidders of a market would be set against each other.
halves as materialized (
    select p.*, a.tenders as one_tenders, a.name as one_name, a.bidder_id as one_id
    from   pairs p join sizes a on a.market = p.market and a.bidder = p.one
),
wholes as materialized (
    select p.*, b.tenders as other_tenders, b.name as other_name, b.bidder_id as other_id
    from   halves p join sizes b on b.market = p.market and b.bidder = p.other
)
select p.market as peer_key, p.one || '|' || p.other || '|' || p.market as row_id, p.one, p.other, p.joint, p.undecided, m.source,
       p.one_wins, p.other_wins, m.tenders as market_tenders, p.one_tenders, p.other_tenders, p.one_name, p.other_name, p.one_id, p.other_id,
       round(cast(p.joint as double) / (p.one_tenders + p.other_tenders - p.joint), 6) as value,
       round(cast(p.joint as double) * m.tenders / (cast(p.one_tenders as double) * p.other_tenders), 6) as lift
from   wholes p
join   markets m on m.market = p.market
