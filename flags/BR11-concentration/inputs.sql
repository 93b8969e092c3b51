-- Every contract of the line of activity and year.
select 'contracts' as tbl, id from contracts
where  in_scope(coalesce(activity, '?') || '|' || coalesce(cast(year(signed_on) as varchar), '?'))
