-- The tenders of one modality and year, and the contracts of the one judged.
select 'tenders' as tbl, id from tenders
where  in_scope(coalesce(modality || '|' || cast(year(coalesce(published_on, result_on, opened_on)) as varchar), '?'))
union all
select 'contracts', id from contracts where tender_id = $subject
