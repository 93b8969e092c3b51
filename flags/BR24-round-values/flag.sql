-- One row per buyer: are more of its contracts a whole number of thousands than those of others let expect?
with units as (
    select unit as subject_id, min(source) as source, min(buyer_id) as buyer_id, min(buyer_name) as buyer_name, min(sphere) as sphere,
           count(*) as contracts, count(case when comparable then 1 end) as n, coalesce(sum(case when comparable then is_round end), 0) as k,
           sum(case when comparable then chance end) as expected, max(case when comparable then signed_on end) as as_of,
           sum(case when comparable and is_round = 1 then amount end) as amount,
           count(distinct case when comparable and is_round = 1 then amount end) as amounts,
           count(case when comparable and is_round = 1 and modality = 'inexigibilidade' then 1 end) as unenforceable,
           count(case when comparable and is_round = 1 then modality end) as modalities,
           string_agg(case when comparable and is_round = 1 then id end, chr(31) order by amount desc, id) as contract_ids, min(peer_key) as peer_key
    from   peers where missing is null group by unit
),
same as (
    select unit, max(n) as n from (select unit, amount, count(*) as n from peers where comparable and is_round = 1 group by unit, amount) as v group by unit
),
crowd as (
    select peer_key, count(value) as n, median(value) as med from peers where value is not null group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key where p.value is not null group by p.peer_key
),
-- Every count from the one seen on, with its chance.
counted as (
    select subject_id, n, expected / n as chance, unnest(range(cast(k as bigint), n + 1)) as i from units where n >= $contracts_min
),
tested as (
    select subject_id, least(1.0, sum(exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * ln(chance) + (n - i) * ln(1 - chance)))) as p
    from   counted group by subject_id
),
ranked as (
    select subject_id, p, row_number() over (order by p, subject_id) as place, count(*) over () as tests from tested
),
corrected as (
    select r.subject_id, r.p, r.tests, round(least(1.0, min(r.p * r.tests / r.place) over (order by r.place desc rows unbounded preceding)), 8) as q,
           round(u.k / u.expected, 6) as ratio
    from   ranked r join units u on u.subject_id = r.subject_id
)
select u.subject_id, 'all' as group_key, u.source,
       case when c.q is null then 'not_computable'
            when c.q < $p_max and c.ratio >= $ratio_min then 'hit' else 'clear' end as outcome,
       case when c.q is null then case when u.contracts < $contracts_min then 'contracts' else 'peers' end end as missing,
       c.q                                       as measure,
       $p_max                                    as threshold,
       case when c.ratio >= $ratio_min then c.q end as tip_p_max,
       case when c.q < $p_max then c.ratio end   as tip_ratio_min,
       'low'                                     as severity,
       u.amount, u.as_of, u.buyer_id, u.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       u.contract_ids, u.n                       as rows_read,
       u.peer_key, w.n as peer_n, round(w.med, 6) as peer_median, round(d.mad, 6) as peer_mad, round(cast(u.k as double) / u.n, 6) as peer_marked,
       u.n as ev_n, u.k as ev_k, round(cast(u.k as double) / u.n, 6) as ev_share, round(u.expected / u.n, 6) as ev_chance, round(u.expected, 4) as ev_expected,
       c.p as ev_p, c.tests as ev_tests, u.contracts - u.n as ev_left_out, u.contracts as ev_contracts, s.n as ev_same_value, u.unenforceable as ev_unenforceable, u.k - u.modalities as ev_unstated,
       case when 2 * s.n > u.k then 'possible' else 'ruled_out' end as ex_one_price,
       case when 2 * u.unenforceable > u.k then 'possible' when 2 * (u.unenforceable + u.k - u.modalities) <= u.k then 'ruled_out' end as ex_fees
from   units u
left join corrected c on c.subject_id = u.subject_id
left join crowd w on w.peer_key = u.peer_key
left join deviation d on d.peer_key = u.peer_key
left join same s on s.unit = u.subject_id
union all by name
select id as subject_id, 'all' as group_key, source, 'not_computable' as outcome, missing from peers where missing is not null
