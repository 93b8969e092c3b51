-- The contracts that were added up, and what the register says of the company.
select 'contracts' as tbl, unnest(string_split(contract_ids, chr(31))) as id from judged where subject_id = $subject
union all
select 'registrations', r.id from registrations r where r.cnpj_root in (select peer_key from judged where subject_id = $subject) and r.scope in ('company', 'simples')
