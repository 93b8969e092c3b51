-- The tenders of one line of activity and state, with their bids and contracts.
with own as (
    select t.id from tenders t left join buyers u on u.id = t.buyer_id where in_scope(coalesce(t.activity || '|' || u.state, '?'))
)
select 'tenders' as tbl, id from own
union all
select 'bids', id from bids where tender_id in (select id from own)
union all
select 'contracts', id from contracts where tender_id in (select id from own)
