-- The tender.
select 'tenders' as tbl, $subject as id
