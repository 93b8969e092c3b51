-- Every contract of the source, sphere and year, and one of each month that the source holds of the year.
select 'contracts' as tbl, c.id from contracts c left join buyers b on b.id = c.buyer_id
where  in_scope(c.source || '|' || coalesce(b.sphere, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?'))
union all
select 'contracts', min(c.id) from contracts c
join   (select distinct c.source, year(c.signed_on) as y from contracts c left join buyers b on b.id = c.buyer_id
        where in_scope(c.source || '|' || coalesce(b.sphere, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?'))) o
on     o.source = c.source and o.y = year(c.signed_on)
group  by c.source, year(c.signed_on), month(c.signed_on)
