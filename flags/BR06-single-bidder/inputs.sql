-- The tenders of one modality and source, their bids, and the contracts of the one judged.
with own as (
    select id from tenders where in_scope(coalesce(modality, '?') || '|' || coalesce(source, '?'))
)
select 'tenders' as tbl, id from own
union all
select 'bids', id from bids where tender_id in (select id from own)
union all
select 'contracts', id from contracts where tender_id = $subject
