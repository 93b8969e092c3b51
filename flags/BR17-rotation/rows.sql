-- The tenders in the community's row of wins, and what its members bid there.
select 'tenders' as tbl, tender_id as id from community_tenders where subject_id = $subject
union all
select 'bids', b.id
from   bids b join community_tenders t on t.tender_id = b.tender_id and t.subject_id = $subject
join   community_members m on m.subject_id = t.subject_id
                          and m.bidder = coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id)
