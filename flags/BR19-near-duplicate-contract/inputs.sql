-- The contracts of one buyer and supplier.
select 'contracts' as tbl, id from contracts where in_scope(coalesce(buyer_id || '|' || coalesce(supplier_root, supplier_id), '?'))
