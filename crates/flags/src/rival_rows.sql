-- Who bid for which lot in every market (line of activity × state): lots of two bidders or more, of tenders of which a loser is
-- known. `part` cuts them into portions, a market never across two.
with offers as (
    select b.tender_id, coalesce(b.lot, '') || '|' || coalesce(b.item_number, '') as lot, t.activity || '|' || u.state as market,
           coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id) as bidder,
           b.bidder_name as name, b.won, coalesce(t.result_on, t.opened_on, t.closes_on, t.published_on) as day, t.source
    from   bids b join tenders t on t.id = b.tender_id join buyers u on u.id = t.buyer_id
    where  t.currency = 'BRL' and t.activity is not null and u.state is not null
    and    coalesce(b.bidder_root, b.bidder_id) is not null and in_scope(t.activity || '|' || u.state)
    and    coalesce(t.modality, '') not in ('dispensa', 'inexigibilidade', 'credenciamento', 'leilao')
),
by_bidder as (
    select market, tender_id, lot, bidder, min(name) as name, min(day) as day, min(source) as source, bool_or(won) as won
    from   offers group by market, tender_id, lot, bidder
),
contested as (
    select tender_id from by_bidder group by tender_id having count(distinct bidder) > 1 and count(case when won = false then 1 end) > 0
),
met as (
    select tender_id, lot from by_bidder group by tender_id, lot having count(*) > 1
)
select r.market, r.tender_id, r.lot, r.bidder, r.name, r.day, r.source, case when r.won then 'y' when not r.won then 'n' end as won,
       cast(hash(r.market) % $parts as integer) as part
from   by_bidder r join contested c on c.tender_id = r.tender_id join met m on m.tender_id = r.tender_id and m.lot = r.lot
