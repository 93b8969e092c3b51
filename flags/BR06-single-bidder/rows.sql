-- The tender and its participants.
select 'tenders' as tbl, $subject as id
union all
select 'bids', id from bids where tender_id = $subject
