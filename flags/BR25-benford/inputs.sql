-- The unit's amounts of the series, and the contracts and tenders that say their modality.
with signed as (
    select id, tender_id from contracts where in_scope(source || '|contracts|' || buyer_id)
),
spent as (
    select id, contract_id, tender_id, buyer_id from payments where in_scope(source || '|' || kind || '|' || buyer_id)
)
select 'contracts' as tbl, id from signed
union all
select 'payments', id from spent
union all
select 'contracts', contract_id from spent
union all
select 'tenders', id from tenders where id in (select tender_id from signed) or id in (select tender_id from spent)
union all
select 'buyers', buyer_id from spent
