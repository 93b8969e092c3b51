-- The tender and its items.
select 'tenders' as tbl, $subject as id
union all
select 'items', id from items where tender_id = $subject
