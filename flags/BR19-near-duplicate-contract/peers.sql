-- All pairs that were compared within a buyer and supplier.
select c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id) as peer_key, 'contracts' as tbl, p.later as row_id, p.similarity as value
from   near_pairs p join contracts c on c.id = p.later
