-- The contract and all its amendments.
select 'contracts' as tbl, id from contracts where id = $subject
union all
select 'amendments', id from amendments where contract_id = $subject
