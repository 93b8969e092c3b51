-- One row per unit and series: do the leading digits of its amounts lie farther from Benford's law than both the customary limit
-- and what a sample of that size does by chance?
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers where peer_key is not null group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
judged as (
    select *, case when missing is null then mad end as measure, round(greatest(customary, chance), 6) as threshold from peers where unit is not null
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
       case when j.missing is not null then 'not_computable' when j.measure > j.threshold then 'hit' else 'clear' end as outcome,
       j.missing,
       j.measure,
       j.threshold,
       case when j.missing is not null then null
            when j.test <> 'two' then case when j.measure > j.threshold then cast('infinity' as double) end
            when j.mad_two > j.chance_two then j.mad_two end as tip_two_mad,
       case when j.missing is not null then null
            when j.test = 'two' then case when j.measure > j.threshold then cast('infinity' as double) end
            when j.mad_second > greatest($second_mad, j.chance_second) then cast('infinity' as double)
            when j.mad_first > j.chance_first then j.mad_first end as tip_first_mad,
       case when j.missing is not null then null
            when j.test = 'two' then case when j.measure > j.threshold then cast('infinity' as double) end
            when j.mad_first > greatest($first_mad, j.chance_first) then cast('infinity' as double)
            when j.mad_second > j.chance_second then j.mad_second end as tip_second_mad,
       case when j.missing is not null then null
            when j.test = 'two' then case when j.mad_two > $two_mad then j.deviations_two end
            else greatest(case when j.mad_first > $first_mad then j.deviations_first end,
                          case when j.mad_second > $second_mad then j.deviations_second end) end as tip_chance_z,
       'low'                                     as severity,
       j.digit_amount                            as amount,
       j.as_of, j.buyer_id, j.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       cast(null as varchar) as contract_ids, j.n as rows_read,
       j.unit as peer_key, c.n as peer_n, round(c.med, 6) as peer_median, round(d.mad, 6) as peer_mad, j.digit_gap as peer_marked,
       j.series as ev_series, j.test as ev_test, j.n as ev_n, j.digit as ev_digit, j.digit_n as ev_digit_n, cast(j.digit_n as double) / j.n as ev_digit_seen,
       j.digit_share as ev_digit_share, j.chance as ev_chance, j.most as ev_most, j.hundreds as ev_hundreds, j.reach as ev_reach,
       case j.series when 'contracts' then 'contratos' when 'commitment' then 'empenhos' else 'pagamentos' end as ev_what,
       case j.series when 'contracts' then 'contracts' when 'commitment' then 'commitments' else 'payments' end as ev_what_en,
       case j.test when 'two' then 'os dois primeiros dígitos' when 'first' then 'o primeiro dígito' else 'o segundo dígito' end as ev_place,
       case j.test when 'two' then 'first two digits' when 'first' then 'first digit' else 'second digit' end as ev_place_en,
       j.customary as ev_limit,
       case when 4 * j.hundreds > j.n then 'possible' else 'ruled_out' end as ex_round_values,
       case when 100 * j.most >= 2 * j.n then 'possible' else 'ruled_out' end as ex_fixed_prices
from   judged j
left join crowd c on c.peer_key = j.unit
left join deviation d on d.peer_key = j.unit
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from lacking where in_scope(group_key)
