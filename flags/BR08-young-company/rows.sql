-- The contract and what the register says of its supplier.
select 'contracts' as tbl, $subject as id
union all
select 'registrations', r.id from contracts c join registrations r on r.cnpj_root = c.supplier_root and r.scope = 'establishment' where c.id = $subject
