-- Every bid for the lot, its tender, and the contracts that came of it.
select 'bids' as tbl, b.id
from   bids b join bid_screens s on s.tender_id = b.tender_id and s.lot = coalesce(b.lot, '') and s.item = coalesce(b.item_number, '')
where  s.subject_id = $subject
union all
select 'tenders', s.tender_id from bid_screens s join tenders t on t.id = s.tender_id where s.subject_id = $subject
union all
select 'contracts', c.id from contracts c join bid_screens s on s.tender_id = c.tender_id where s.subject_id = $subject and not c.income
