-- The contract and every sanction of its supplier that was in force at signature.
select 'contracts' as tbl, $subject as id
union all
select 'sanctions', s.id
from   contracts c
join   sanctions s on coalesce(s.supplier_root, s.supplier_id) = coalesce(c.supplier_root, c.supplier_id)
where  c.id = $subject and s.bars_contracting
and    (s.starts_on is null or s.starts_on <= c.signed_on) and (s.ends_on is null or c.signed_on <= s.ends_on)
