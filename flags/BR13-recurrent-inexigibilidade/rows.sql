-- The contracts in the fullest window.
select 'contracts' as tbl, unnest(string_split(contract_ids, chr(31))) as id from judged where subject_id = $subject
