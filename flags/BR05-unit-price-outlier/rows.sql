-- The item, its contract and every peer of its window.
select 'items' as tbl, $subject as id
union all
select 'contracts', contract_ids from judged where subject_id = $subject
union all
select 'items', p.row_id from peers p join judged j on j.peer_key = p.peer_key
where  j.subject_id = $subject and p.row_id <> $subject
