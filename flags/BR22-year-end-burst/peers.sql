-- December's share of each whole year of a unit, in each series: contracts signed, commitments issued, payments made.
--
-- A year is whole where its source holds rows of each of its twelve months and some from 28 December on or later, and the
-- unit has rows from January of that year or before: a share of a part of a year says nothing.
with spent as (
    select 'contracts' as series, c.source, c.buyer_id, coalesce(c.buyer_name, b.name) as buyer_name, c.id, c.signed_on as on_day,
           coalesce(c.value_initial, c.value_final) as value, c.starts_on
    from   contracts c left join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and c.signed_on is not null and c.buyer_id is not null and in_scope(c.source || '|contracts')
    union all
    select p.kind, p.source, p.buyer_id, coalesce(p.buyer_name, b.name), p.id, p.issued_on, p.value, null
    from   payments p left join buyers b on b.id = p.buyer_id
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and p.issued_on is not null and p.buyer_id is not null
    and    in_scope(p.source || '|' || p.kind)
),
covered as (
    select source, series, year(on_day) as y, count(distinct month(on_day)) as months from spent group by source, series, year(on_day)
),
newest as (
    select source, series, max(on_day) as on_day from spent group by source, series
),
since as (
    select source, series, buyer_id, min(on_day) as on_day from spent group by source, series, buyer_id
),
years as (
    select source, series, buyer_id, year(on_day) as y, min(buyer_name) as buyer_name, count(case when value > 0 then 1 end) as n, count(*) - count(value) as unknown,
           coalesce(sum(case when value > 0 then value end), 0) as total,
           coalesce(sum(case when value > 0 and month(on_day) = 12 then value end), 0) as december,
           coalesce(max(case when value > 0 and month(on_day) = 12 then value end), 0) as largest,
           count(case when value > 0 and month(on_day) = 12 then 1 end) as december_n,
           coalesce(sum(case when value > 0 and month(on_day) = 12 and year(starts_on) > year(on_day) then value end), 0) as next_year,
           coalesce(sum(case when value > 0 and month(on_day) = 12 and starts_on is null then value end), 0) as unstated,
           max(on_day) as as_of
    from   spent group by source, series, buyer_id, year(on_day)
)
select y.source || '|' || y.series || '|' || y.buyer_id as peer_key, y.*, c.months,
       case when c.months < 12 or n.on_day < make_date(cast(y.y as integer), 12, 28) or s.on_day > make_date(cast(y.y as integer), 1, 31) then 'whole_year'
            when 20 * y.unknown > y.n + y.unknown then case y.series when 'contracts' then 'contracts.value' else 'payments.value' end
            when y.n < $rows_min then 'rows' end as lacks,
       case when c.months = 12 and n.on_day >= make_date(cast(y.y as integer), 12, 28) and s.on_day <= make_date(cast(y.y as integer), 1, 31)
                 and 20 * y.unknown <= y.n + y.unknown and y.n >= $rows_min
            then round(cast(y.december as double) / cast(y.total as double), 6) end as value
from   years y
join   covered c on c.source = y.source and c.series = y.series and c.y = y.y
join   newest n on n.source = y.source and n.series = y.series
join   since s on s.source = y.source and s.series = y.series and s.buyer_id = y.buyer_id
