-- The tender, and its items where they are held.
select 'tenders' as tbl, id from tenders where id = $subject
union all
select 'items', id from items where tender_id = $subject
