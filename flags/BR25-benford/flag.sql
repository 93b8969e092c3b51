-- One row per unit and series: do the leading digits of its amounts lie farther from Benford's law than both the customary limit
-- and what a sample of that size does by chance?
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers where peer_key is not null group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
lacking as (
    select c.id, c.source || '|contracts|' || coalesce(c.buyer_id, '?') as group_key, c.source,
           case when c.buyer_id is null then 'contracts.buyer_id' else 'contracts.value' end as missing
    from   contracts c
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.buyer_id is null or coalesce(c.value_initial, c.value_final) is null)
    union all
    select p.id, p.source || '|' || p.kind || '|' || coalesce(p.buyer_id, '?'), p.source,
           case when p.buyer_id is null then 'payments.buyer_id' else 'payments.value' end
    from   payments p
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and (p.buyer_id is null or p.value is null)
)
select j.unit as subject_id, j.unit as group_key, j.source,
       case when j.missing is not null then 'not_computable' when j.value > j.threshold then 'hit' else 'clear' end as outcome,
       j.missing,
       j.value                                   as measure,
       j.threshold,
       'low'                                     as severity,
       j.digit_amount                            as amount,
       j.as_of, j.buyer_id, j.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       cast(null as varchar) as contract_ids, j.n as rows_read,
       j.peer_key, c.n as peer_n, round(c.med, 6) as peer_median, round(d.mad, 6) as peer_mad, j.value as peer_marked,
       case when j.value > j.threshold then
           (select round(100.0 * count(case when p.value <= j.value then 1 end) / count(*), 1) from peers p where p.peer_key = j.peer_key)
       end                                       as peer_percentile,
       j.series as ev_series, j.test as ev_test, j.n as ev_n, j.digit as ev_digit, j.digit_n as ev_digit_n, cast(j.digit_n as double) / j.n as ev_digit_seen,
       j.digit_share as ev_digit_share, j.chance as ev_chance, j.most as ev_most, j.hundreds as ev_hundreds, j.reach as ev_reach,
       case j.series when 'contracts' then 'contratos' when 'commitment' then 'empenhos' else 'pagamentos' end as ev_what,
       case j.series when 'contracts' then 'contracts' when 'commitment' then 'commitments' else 'payments' end as ev_what_en,
       case j.test when 'two' then 'os dois primeiros dígitos' when 'first' then 'o primeiro dígito' else 'o segundo dígito' end as ev_place,
       case j.test when 'two' then 'first two digits' when 'first' then 'first digit' else 'second digit' end as ev_place_en,
       case j.test when 'two' then $two_mad when 'first' then $first_mad else $second_mad end as ev_limit,
       case when 4 * j.hundreds > j.n then 'possible' else 'ruled_out' end as ex_round_values,
       case when 100 * j.most >= 2 * j.n then 'possible' else 'ruled_out' end as ex_fixed_prices
from   peers j
left join crowd c on c.peer_key = j.peer_key
left join deviation d on d.peer_key = j.peer_key
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from lacking where in_scope(group_key)
