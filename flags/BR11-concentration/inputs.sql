-- Every contract of the line of activity and year, and one of each month that its sources hold of the year.
select 'contracts' as tbl, id from contracts
where  in_scope(coalesce(activity, '?') || '|' || coalesce(cast(year(signed_on) as varchar), '?'))
union all
select 'contracts', min(c.id) from contracts c
join   (select distinct source, year(signed_on) as y from contracts
        where in_scope(coalesce(activity, '?') || '|' || coalesce(cast(year(signed_on) as varchar), '?'))) o
on     o.source = c.source and o.y = year(c.signed_on)
group  by c.source, year(c.signed_on), month(c.signed_on)
