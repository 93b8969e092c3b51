-- The company's contracts and what the register says of it.
select 'contracts' as tbl, id from contracts where in_scope(coalesce(supplier_root, '?'))
union all
select 'registrations', id from registrations where in_scope(cnpj_root)
