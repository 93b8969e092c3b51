-- What the supplier sold of the class, and what the register says of it.
select distinct 'items' as tbl, i.id
from   judged j
join   items i on j.peer_key = i.source || '|' || coalesce(i.category, '') || '|' || i.catalog_code
left join contracts c on c.id = i.contract_id
where  j.subject_id = $subject and coalesce(i.currency, 'BRL') = 'BRL' and not coalesce(c.income, false)
and    substr(coalesce(i.supplier_id, c.supplier_id), 6, 8) = substr(j.supplier_id, 6, 8)
union all
select 'contracts', unnest(string_split(contract_ids, chr(31))) from judged where subject_id = $subject and contract_ids is not null
union all
select 'registrations', unnest(string_split(ev_registrations, chr(31))) from judged where subject_id = $subject
