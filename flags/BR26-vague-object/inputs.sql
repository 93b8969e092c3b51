-- The tenders of the source, and the items of the one judged.
select 'tenders' as tbl, id from tenders where in_scope(source)
union all
select 'items', id from items where tender_id = $subject
