-- The supplier's contracts and sanctions, and of each list the sanction that says until when it speaks.
select 'contracts' as tbl, id from contracts where in_scope(coalesce(supplier_root, supplier_id, '?'))
union all
select 'sanctions', id from sanctions where in_scope(coalesce(supplier_root, supplier_id, '?'))
union all
select 'sanctions', arg_max(id, listed_on) from sanctions group by file_id
