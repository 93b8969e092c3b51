-- The tender, its items and its contracts.
select 'tenders' as tbl, id from tenders where in_scope(id)
union all
select 'items', id from items where in_scope(tender_id)
union all
select 'contracts', id from contracts where in_scope(tender_id)
