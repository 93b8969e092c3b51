-- The contracts of one buyer and supplier, and their tenders.
with own as (
    select id, tender_id from contracts where in_scope(coalesce(buyer_id || '|' || coalesce(supplier_root, supplier_id), '?'))
)
select 'contracts' as tbl, id from own
union all
select 'tenders', id from tenders where id in (select tender_id from own)
