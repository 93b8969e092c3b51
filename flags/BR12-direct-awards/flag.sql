-- One row per buyer, year and source: how much of what it contracted was awarded without a tender, against buyers of the same
-- sphere and order of magnitude. Contracts that lack buyer, date, value or the buyer's sphere are counted one by one.
with spending as (
    select c.id, c.source, c.buyer_id, c.buyer_name, c.signed_on, c.modality, coalesce(c.legal_basis, t.legal_basis) as legal_basis, b.sphere, b.name,
           coalesce(c.value_initial, c.value_final) as value,
           c.source || '|' || coalesce(b.sphere, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?') as group_key,
           case when c.buyer_id is null  then 'contracts.buyer_id'
                when c.signed_on is null then 'contracts.signed_on'
                when coalesce(c.value_initial, c.value_final) is null then 'contracts.value'
                when b.sphere is null    then 'buyers.sphere' end as missing
    from   contracts c left join buyers b on b.id = c.buyer_id left join tenders t on t.id = c.tender_id
    where  not c.income and c.currency = 'BRL' and (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) > 0)
    and    in_scope(c.source || '|' || coalesce(b.sphere, '?') || '|' || coalesce(cast(year(c.signed_on) as varchar), '?'))
),
groups as (
    select buyer_id || '|' || year(signed_on) || '|' || source as subject_id, group_key, source, buyer_id, sphere, year(signed_on) as y,
           count(*) as n, max(signed_on) as as_of, coalesce(min(name), min(buyer_name)) as buyer_name
    from   spending where missing is null group by group_key, source, buyer_id, sphere, year(signed_on)
),
quantiles as (
    select peer_key, count(*) as n, quantile_cont(value, [0.25, 0.5, 0.75]) as xs, quantile_cont(value, 0.95) as high from peers group by peer_key
),
spread as (
    select p.peer_key, median(abs(p.value - q.xs[2])) as mad from peers p join quantiles q on q.peer_key = p.peer_key group by p.peer_key
),
measured as (
    select g.*, p.peer_key, p.value as share, p.total, p.direct, p.unenforceable, p.largest, q.n as peer_n, q.xs[2] as med, q.xs[1] as q1, q.xs[3] as q3, q.high, s.mad,
           round(case when s.mad > 0 then 0.6745 * (p.value - q.xs[2]) / s.mad
                      when q.xs[3] > q.xs[1] then (p.value - q.xs[3]) / (q.xs[3] - q.xs[1]) end, 4) as measure,
           case when s.mad > 0 then $z_min when q.xs[3] > q.xs[1] then 1.5 end as threshold,
           case when g.n < $contracts_min then 'contracts' when p.row_id is null then 'contracts.modality'
                when q.n < $peers_min then 'peers' end as lacks
    from   groups g left join peers p on p.row_id = g.subject_id
    left join quantiles q on q.peer_key = p.peer_key left join spread s on s.peer_key = p.peer_key
),
judged as (
    select *, case when lacks is not null or measure is null then 'not_computable' 
                   -- Shares crowd at zero, where a small one lies many deviations off: it must be among the highest too, and by much.
                   when measure > threshold and share > high and round(share - med, 6) >= $gap_min then 'hit'
                   else 'clear' end as outcome
    from   measured
),
ranks as (
    select j.subject_id, round(100.0 * count(case when p.value <= j.share then 1 end) / count(*), 1) as percentile
    from   judged j join peers p on p.peer_key = j.peer_key where j.outcome = 'hit' group by j.subject_id
),
listed as (
    select j.subject_id, string_agg(s.id, chr(31) order by s.value desc, s.id) as contract_ids, count(*) as n,
           coalesce(sum(case when g.ground = 'emergency' then s.value end), 0) as emergency,
           coalesce(sum(case when g.ground is null and s.modality = 'dispensa' then s.value end), 0) as ungrounded
    from   judged j join spending s on s.buyer_id = j.buyer_id and s.source = j.source and year(s.signed_on) = j.y
    left join legal_grounds g on g.legal_basis = s.legal_basis
    where  j.outcome = 'hit' and s.missing is null and s.modality in ('dispensa', 'inexigibilidade') group by j.subject_id
)
select j.subject_id, j.group_key, j.source, j.outcome,
       case when j.outcome = 'not_computable' then coalesce(j.lacks, 'peers.spread') end as missing,
       j.measure, j.threshold,
       case when j.lacks is null and j.share > j.high and round(j.share - j.med, 6) >= $gap_min then
            case when j.mad > 0 then j.measure when j.measure > j.threshold then cast('infinity' as double) end end as tip_z_min,
       case when j.lacks is null and j.measure > j.threshold and j.share > j.high then round(j.share - j.med, 6) end as tip_gap_min,
       'low'                                     as severity,
       j.direct                                  as amount,
       j.as_of, j.buyer_id, j.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       l.contract_ids, j.n                       as rows_read,
       j.peer_key, j.peer_n, round(j.med, 6) as peer_median, round(j.mad, 6) as peer_mad, j.share as peer_marked, r.percentile as peer_percentile,
       j.y as ev_year, j.n as ev_contracts, l.n as ev_direct_contracts, j.total as ev_total, j.share as ev_share, round(j.med, 6) as ev_median,
       round(j.q3, 6) as ev_q3, round(j.q1, 6) as ev_q1, round(j.mad, 6) as ev_mad,
       case j.sphere when 'F' then 'federal' when 'E' then 'estadual' when 'M' then 'municipal' when 'D' then 'distrital' else j.sphere end as ev_sphere,
       case j.sphere when 'F' then 'federal' when 'E' then 'state' when 'M' then 'municipal' when 'D' then 'Federal District' else j.sphere end as ev_sphere_en,
       case when j.mad > 0 then 'mad' end as ev_by_mad, case when j.mad = 0 and j.q3 > j.q1 then 'iqr' end as ev_by_iqr,
       round(greatest(case when j.mad > 0 then j.med + j.threshold * j.mad / 0.6745 else j.q3 + 1.5 * (j.q3 - j.q1) end, j.high, j.med + $gap_min), 6) as ev_clear_share,
       round(j.high, 6) as ev_high, round(j.share - j.med, 6) as ev_gap,
       cast(j.largest as double) / cast(nullif(j.direct, 0) as double) as ev_largest_share,
       cast(j.unenforceable as double) / cast(nullif(j.direct, 0) as double) as ev_unenforceable_share,
       cast(l.emergency as double) / cast(nullif(j.direct, 0) as double) as ev_emergency_share,
       case when 2 * l.emergency > j.direct then 'likely' when l.emergency > 0 then 'possible' when l.ungrounded = 0 then 'ruled_out' end as ex_emergency,
       case when 2 * j.largest > j.direct then 'possible' when j.direct > 0 then 'ruled_out' end as ex_one_purchase,
       case when 2 * j.unenforceable > j.direct then 'possible' when j.direct > 0 then 'ruled_out' end as ex_only_supplier
from   judged j
left join ranks r on r.subject_id = j.subject_id
left join listed l on l.subject_id = j.subject_id
union all by name
select s.id as subject_id, s.group_key, s.source, 'not_computable' as outcome, s.missing from spending s where s.missing is not null
