-- The unit's contracts and tenders of the year, the tenders of those contracts, and the contracts that tenders became.
with own as (
    select id, tender_id from contracts
    where  in_scope(coalesce(source || '|' || buyer_id || '|' || cast(year(signed_on) as varchar), '?'))
),
notices as (
    select id from tenders
    where  in_scope(coalesce(source || '|' || buyer_id || '|' || cast(year(coalesce(published_on, result_on)) as varchar), '?'))
)
select 'contracts' as tbl, id from own
union all
select 'contracts', id from contracts where tender_id in (select id from notices)
union all
select 'tenders', id from notices
union all
select 'tenders', id from tenders where id in (select tender_id from own)
