-- The concentration of every buyer in a line of activity and year: the group that a buyer is compared with. Beside it the index
-- that the awards alone make, each taken as a supplier of its own. What one supplier won in one tender, under one number, or
-- on one day for one value, is one award: sources publish a contract more than once, and its orders one by one.
with entries as (
    select c.buyer_id, c.activity, year(c.signed_on) as y, coalesce(c.supplier_root, c.supplier_id) as supplier,
           coalesce(c.tender_id, cast(c.signed_on as varchar) || '|' || cast(coalesce(c.value_initial, c.value_final) as varchar)) as entry,
           max(case when c.tender_id is null and regexp_matches(c.number, '[1-9]') then ltrim(regexp_replace(lower(c.number), '[^a-z0-9]+', '', 'g'), '0') end) as number,
           sum(coalesce(c.value_initial, c.value_final)) as value, count(*) as n
    from   contracts c
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and c.buyer_id is not null and c.activity is not null and c.signed_on is not null
    and    coalesce(c.value_initial, c.value_final) > 0
    and    in_scope(c.activity || '|' || cast(year(c.signed_on) as varchar))
    group  by 1, 2, 3, 4, 5
),
awards as (
    select buyer_id, activity, y, supplier, sum(value) as value, sum(n) as n
    from   entries group by buyer_id, activity, y, supplier, coalesce(number, entry)
),
spent as (
    select buyer_id, activity, y, supplier, sum(value) as value, sum(n) as n, sum(power(cast(value as double), 2)) as squares
    from   awards group by 1, 2, 3, 4
),
totals as (
    select buyer_id, activity, y, sum(value) as total, sum(case when supplier is not null then value end) as named,
           sum(n) as n, count(supplier) as suppliers
    from   spent group by buyer_id, activity, y
)
select t.activity || '|' || t.y                                as peer_key,
       t.buyer_id || '|' || t.y || '|' || t.activity           as subject_id,
       t.buyer_id, t.activity, t.y, t.n, t.suppliers, t.total, t.named,
       cast(t.total - t.named as double) / cast(t.total as double) as unnamed_share,
       max(s.value)                                            as top_value,
       max(cast(s.value as double) / cast(t.named as double))  as top_share,
       round(10000 * sum(s.squares / power(cast(t.named as double), 2)), 2) as award_index,
       round(sum(power(100.0 * cast(s.value as double) / cast(t.named as double), 2)), 2) as value
from   totals t join spent s on s.buyer_id = t.buyer_id and s.activity = t.activity and s.y = t.y and s.supplier is not null
where  t.n >= $contracts_min
group  by all
