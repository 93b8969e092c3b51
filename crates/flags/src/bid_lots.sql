-- One row per lot that somebody bid for: its valid prices in rising order, or what is missing.
--
-- A lot is what is bid for as one: tender, lot and item as the source states them. Rows that speak of the tender as a
-- whole (someone took part) say nothing of a lot where other rows name lots. Tenders with a bid in another currency,
-- auctions and contests for the highest price are left out. `part` cuts the lots into portions that are read one after
-- the other.
with speaking as (
    select tender_id, bool_or(lot is not null or item_number is not null) as by_lot, bool_or(currency <> 'BRL') as foreign_money
    from   bids where tender_id is not null group by tender_id
),
offered as (
    select b.tender_id, coalesce(b.lot, '') as lot, coalesce(b.item_number, '') as item, b.source,
           coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id, b.bidder_name) as bidder, b.unit_price, b.value, b.quantity,
           case when b.won then true else b.valid end as valid, b.won,
           coalesce(t.activity || '|' || u.state, '?') as group_key,
           case when t.id is null       then 'tenders'
                when t.activity is null then 'tenders.activity'
                when u.state is null    then 'buyers.state' end as market_missing
    from   bids b join speaking s on s.tender_id = b.tender_id
    left join tenders t on t.id = b.tender_id left join buyers u on u.id = t.buyer_id
    where  not coalesce(s.foreign_money, false) and (not s.by_lot or b.lot is not null or b.item_number is not null) and in_scope(coalesce(t.activity || '|' || u.state, '?'))
    and    coalesce(t.modality, '') <> 'leilao' and not contains(lower(coalesce(t.criterion, '')), 'maior')
),
-- One bid per bidder, its lowest.
bidders as (
    select tender_id, lot, item, bidder, min(source) as source, min(group_key) as group_key, min(market_missing) as market_missing,
           case when count(case when valid then 1 end) > 0 then true when count(valid) = count(*) then false end as valid,
           min(case when valid and unit_price > 0 then unit_price end) as unit_price,
           min(case when valid and value > 0 then value end) as value,
           min(case when valid then quantity end) as quantity, bool_or(coalesce(won, false)) as won,
           count(unit_price) + count(value) as stated
    from   offered
    group  by tender_id, lot, item, bidder
),
lots as (
    select tender_id, lot, item, min(source) as source, min(group_key) as group_key, min(market_missing) as market_missing,
           count(case when valid then 1 end) as bidders, count(case when valid is null then 1 end) as unknown,
           count(case when bidder is null then 1 end) as unnamed, sum(stated) as stated,
           count(case when valid then unit_price end) as unit_prices, count(case when valid then value end) as sums,
           count(case when valid and won then 1 end) as winners,
           count(distinct case when valid then quantity end) as quantities
    from   bidders group by tender_id, lot, item
),
judged as (
    select *,
           case when stated = 0                                then 'bids.value'
                when unnamed > 0                               then 'bids.bidder_id'
                when unknown > 0                               then 'bids.valid'
                -- Where all won, what each got is known and not who else took part.
                when bidders < 4 or winners = bidders          then 'bids'
                when unit_prices < bidders and sums < bidders  then 'bids.value'
                -- Sums for different quantities are no prices of one thing.
                when unit_prices < bidders and quantities > 1  then 'bids.unit_price'
                else market_missing end as missing
    from   lots
),
-- The prices of those lots alone that lack nothing.
prices as (
    select tender_id, lot, item, string_agg(cast(price as varchar), ',' order by price) as prices
    from   (select b.tender_id, b.lot, b.item, case when l.unit_prices = l.bidders then b.unit_price else b.value end as price
            from   judged l join bidders b on b.tender_id = l.tender_id and b.lot = l.lot and b.item = l.item
            where  l.missing is null and b.valid) as priced
    group  by tender_id, lot, item
)
select l.tender_id || case when l.lot <> '' or l.item <> '' then '|' || l.lot || '|' || l.item else '' end as subject_id,
       l.tender_id, l.lot, l.item, l.source, l.group_key, l.bidders, l.missing, p.prices, cast(hash(l.tender_id) % $parts as integer) as part
from   judged l left join prices p on p.tender_id = l.tender_id and p.lot = l.lot and p.item = l.item
