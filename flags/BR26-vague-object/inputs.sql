-- The body's tenders in the source, and the items of the one judged.
select 'tenders' as tbl, id from tenders where in_scope(source || '|' || coalesce(buyer_id, '?'))
union all
select 'items', id from items where tender_id = $subject
