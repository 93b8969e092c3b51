-- The contract and its tender.
select 'contracts' as tbl, id from contracts where in_scope(id)
union all
select 'tenders', id from tenders where id in (select tender_id from contracts where in_scope(id))
