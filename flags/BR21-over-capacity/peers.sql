-- What each company was contracted for in a year, over at most 12 months of each contract; only contracts whose term is
-- known count in `value`, for a longer one is not a year's work.
with spending as (
    select c.id, c.supplier_root, c.supplier_id, c.supplier_name, c.source, year(c.signed_on) as y, c.signed_on, coalesce(c.value_initial, c.value_final) as value, t.price_registration,
           case when c.ends_on is null then null
                else cast(round(cast(coalesce(c.value_initial, c.value_final) as double)
                     * least(1.0, 365.0 / greatest(1, date_diff('day', coalesce(c.starts_on, c.signed_on), c.ends_on) + 1)), 2) as decimal(18,2)) end as year_value
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and c.supplier_root is not null and c.signed_on is not null
    and    coalesce(c.value_initial, c.value_final) > 0 and in_scope(c.supplier_root)
)
select supplier_root as peer_key, y, coalesce(sum(year_value), 0) as value, coalesce(sum(coalesce(year_value, value)), 0) as value_max, count(*) as n,
       count(case when year_value is null then 1 end) as without_term, sum(case when price_registration then year_value end) as registered,
       count(case when price_registration is null and year_value is not null then 1 end) as registration_unknown, max(signed_on) as as_of, min(source) as source,
       arg_max(supplier_id, cast(signed_on as varchar) || id) as supplier_id, arg_max(supplier_name, cast(signed_on as varchar) || id) as supplier_name
from   spending group by supplier_root, y
