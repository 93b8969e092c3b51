-- The contracts of one buyer and supplier, and of each text of theirs one contract of every supplier of the buyer that has it.
select 'contracts' as tbl, id from contracts where in_scope(coalesce(buyer_id || '|' || coalesce(supplier_root, supplier_id), '?'))
union all
select 'contracts', min(c.id) from contracts c
join   (select distinct buyer_id, trim(regexp_replace(lower(strip_accents(object)), '[^a-z0-9]+', ' ', 'g')) as text from contracts
        where in_scope(coalesce(buyer_id || '|' || coalesce(supplier_root, supplier_id), '?'))) o
on     o.buyer_id = c.buyer_id and o.text = trim(regexp_replace(lower(strip_accents(c.object)), '[^a-z0-9]+', ' ', 'g'))
group  by c.buyer_id, o.text, coalesce(c.supplier_root, c.supplier_id)
