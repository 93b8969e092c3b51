-- Every bid of either for the lots that both bid for, in this market.
select distinct 'bids' as tbl, x.id
from   peers p
join   bids a on coalesce(a.bidder_root, case when a.bidder_id like 'cnpj:%' then substr(a.bidder_id, 6, 8) end, a.bidder_id) = p.one
join   bids b on b.tender_id = a.tender_id and coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id) = p.other
             and coalesce(b.lot, '') = coalesce(a.lot, '') and coalesce(b.item_number, '') = coalesce(a.item_number, '')
join   tenders t on t.id = a.tender_id join buyers u on u.id = t.buyer_id and t.activity || '|' || u.state = p.peer_key
join   bids x on x.id in (a.id, b.id)
where  p.row_id = $subject
