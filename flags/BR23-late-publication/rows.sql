-- The contract and its tender.
select 'contracts' as tbl, $subject as id
union all
select 'tenders', t.id from contracts c join tenders t on t.id = c.tender_id where c.id = $subject
