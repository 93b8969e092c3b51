-- One row per unit: among its waivers by value in [0.8 L, L), how unlikely is it that so many lie in [0.9 L, L)?
-- Were the last tenth no better liked than the one before it, each would hold half; prices thin out upwards, so that half
-- is generous. The p-values of all units are corrected together.
with units as (
    select peer_key as subject_id, min(source) as source, min(buyer_id) as buyer_id, min(body) as buyer_name,
           count(case when in_window then 1 end) as n, count(case when in_last_tenth then 1 end) as k,
           count(distinct case when in_last_tenth then amount end) as values_known, sum(case when in_last_tenth then amount end) as amount,
           max(case when in_last_tenth then on_day end) as as_of, count(*) as waivers, median(value) as med,
           string_agg(case when in_last_tenth and tbl = 'contracts' then id end, chr(31) order by on_day, id) as contract_ids
    from   peers where peer_key is not null group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - u.med)) as mad from peers p join units u on u.subject_id = p.peer_key group by p.peer_key
),
same as (
    select peer_key, max(n) as n from (select peer_key, amount, count(*) as n from peers where in_last_tenth group by peer_key, amount) as v group by peer_key
),
-- Every count from the one seen on, with its chance.
counted as (
    select subject_id, n, unnest(range(cast(k as bigint), n + 1)) as i from units where n >= $waivers_min
),
tested as (
    select subject_id, sum(exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) - n * ln(2.0))) as p
    from   counted group by subject_id
),
ranked as (
    select subject_id, p, row_number() over (order by p, subject_id) as place, count(*) over () as tests from tested
),
corrected as (
    select subject_id, p, tests, least(1.0, min(p * tests / place) over (order by place desc rows unbounded preceding)) as q from ranked
)
select u.subject_id, 'all' as group_key, u.source,
       case when u.n < $waivers_min or c.q is null then 'not_computable' when round(c.q, 8) < $p_max then 'hit' else 'clear' end as outcome,
       case when u.n < $waivers_min or c.q is null then 'waivers' end as missing,
       round(c.q, 8)                             as measure,
       $p_max                                    as threshold,
       'low'                                     as severity,
       u.amount, u.as_of, u.buyer_id, u.buyer_name, u.contract_ids, u.n as rows_read,
       u.subject_id as peer_key, u.waivers as peer_n, round(u.med, 4) as peer_median, round(d.mad, 4) as peer_mad, 0.9 as peer_marked,
       u.n as ev_n, u.k as ev_k, round(c.p, 8) as ev_p, c.tests as ev_tests, u.n / 2.0 as ev_expected, s.n as ev_same_value,
       case when 2 * s.n > u.k then 'likely' when s.n > 1 then 'possible' else 'ruled_out' end as ex_standard_price
from   units u
left join corrected c on c.subject_id = u.subject_id
left join deviation d on d.peer_key = u.subject_id
left join same s on s.peer_key = u.subject_id
union all by name
select id as subject_id, 'all' as group_key, source, 'not_computable' as outcome, missing from peers where missing is not null
