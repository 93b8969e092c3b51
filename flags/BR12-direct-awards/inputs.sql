-- Every contract of the source, sphere and year.
select 'contracts' as tbl, c.id from contracts c left join buyers b on b.id = c.buyer_id
where  in_scope(c.source || '|' || coalesce(b.sphere, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?'))
