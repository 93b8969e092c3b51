-- The contract, its amendments and its tender.
select 'contracts' as tbl, id from contracts where in_scope(id)
union all
select 'amendments', id from amendments where in_scope(coalesce(contract_id, id))
union all
select 'tenders', id from tenders where id in (select tender_id from contracts where in_scope(id))
