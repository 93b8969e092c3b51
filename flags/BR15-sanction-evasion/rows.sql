-- The contract, the sanction on the other company, and what the register says of both and of their partners.
select 'contracts' as tbl, $subject as id
union all
select 'sanctions', ev_sanction_id from judged where subject_id = $subject and ev_sanction_id is not null
union all
select 'registrations', r.id from registrations r join judged j on r.cnpj_root in (substr(j.supplier_id, 6, 8), substr(j.ev_old_id, 6, 8))
where  j.subject_id = $subject and r.scope = 'establishment'
union all
select 'partners', p.id from partners p join judged j on p.company_root in (substr(j.supplier_id, 6, 8), substr(j.ev_old_id, 6, 8))
where  j.subject_id = $subject
