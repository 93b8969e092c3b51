-- The tenders of one modality and source, and the contracts of the one judged.
select 'tenders' as tbl, id from tenders where in_scope(coalesce(modality, '?') || '|' || coalesce(source, '?'))
union all
select 'contracts', id from contracts where tender_id = $subject
