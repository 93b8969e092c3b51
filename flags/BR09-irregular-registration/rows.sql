-- The contract and what the register says of the establishment.
select 'contracts' as tbl, $subject as id
union all
select 'registrations', r.id from contracts c join registrations r on r.cnpj = replace(c.supplier_id, 'cnpj:', '') and r.scope = 'establishment' where c.id = $subject
