-- The tender, its bids, and what the register says of the bidders and their partners.
select 'tenders' as tbl, t.id from tenders t where t.id = $subject
union all
select 'bids', b.id from bids b where b.tender_id = $subject
union all
select 'registrations', r.id from registrations r
where  r.scope = 'establishment' and r.cnpj_root in (select coalesce(b.bidder_root, substr(b.bidder_id, 6, 8)) from bids b where b.tender_id = $subject)
union all
select 'partners', p.id from partners p
where  p.company_root in (select coalesce(b.bidder_root, substr(b.bidder_id, 6, 8)) from bids b where b.tender_id = $subject)
