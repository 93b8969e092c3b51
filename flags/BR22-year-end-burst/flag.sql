-- One row per unit, series and year: is December's share far above that of the unit's own five years before?
--
-- Five values have a wide deviation of their own, so a hit must hold without December's largest amount too.
with baseline as (
    select p.peer_key, p.y, count(b.value) as n, quantile_cont(b.value, [0.25, 0.5, 0.75]) as xs, max(b.value) as highest, string_agg(b.y || ': ' || replace(cast(round(100 * b.value, 1) as varchar), '.', ',') || ' %', '; ' order by b.y) as shares
    from   peers p join peers b on b.peer_key = p.peer_key and b.y between p.y - 5 and p.y - 1 and b.value is not null
    group  by p.peer_key, p.y
),
spread as (
    select p.peer_key, p.y, median(abs(b.value - l.xs[2])) as mad
    from   peers p join baseline l on l.peer_key = p.peer_key and l.y = p.y
    join   peers b on b.peer_key = p.peer_key and b.y between p.y - 5 and p.y - 1 and b.value is not null
    group  by p.peer_key, p.y
),
measured as (
    select p.*, l.n as peer_n, l.xs[2] as med, l.xs[1] as q1, l.xs[3] as q3, l.highest, l.shares, s.mad,
           cast(p.december - p.largest as double) / nullif(cast(p.total - p.largest as double), 0) as share_without,
           case when s.mad > 0 then $z_min when l.xs[3] > l.xs[1] then 1.5 end as threshold,
           case when p.lacks is not null       then p.lacks
                when coalesce(l.n, 0) < 5       then 'years'
                when not (s.mad > 0 or l.xs[3] > l.xs[1]) then 'peers.spread' end as missing
    from   peers p
    left join baseline l on l.peer_key = p.peer_key and l.y = p.y
    left join spread s on s.peer_key = p.peer_key and s.y = p.y
),
scored as (
    select *, case when missing is null then round(case when mad > 0 then 0.6745 * (value - med) / mad else (value - q3) / (q3 - q1) end, 4) end as z,
           case when missing is null then round(case when mad > 0 then 0.6745 * (share_without - med) / mad else (share_without - q3) / (q3 - q1) end, 4) end as z_without,
           -- December's share in twelfths, with or without its largest amount: the lesser, cut to six decimals.
           floor(round(12000000 * least(cast(december as double) / nullif(cast(total as double), 0), share_without), 3)) / 1000000 as twelfths
    from   measured
),
judged as (
    select *, case when missing is not null then 'not_computable'
                   when z > threshold and z_without > threshold and twelfths >= $twelfths_min then 'hit'
                   else 'clear' end as outcome
    from   scored
),
lacking as (
    select c.id, c.source || '|contracts' as group_key, c.source,
           case when c.buyer_id is null then 'contracts.buyer_id' else 'contracts.signed_on' end as missing
    from   contracts c
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.buyer_id is null or c.signed_on is null) and in_scope(c.source || '|contracts')
    union all
    select p.id, p.source || '|' || p.kind, p.source, case when p.buyer_id is null then 'payments.buyer_id' else 'payments.issued_on' end
    from   payments p
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and (p.buyer_id is null or p.issued_on is null)
    and    in_scope(p.source || '|' || p.kind)
)
select j.peer_key || '|' || j.y as subject_id, j.source || '|' || j.series as group_key, j.source, j.outcome, j.missing,
       j.z                                       as measure,
       j.threshold,
       case when j.missing is null and j.twelfths >= $twelfths_min then
            case when j.mad > 0 then least(j.z, j.z_without)
                 when j.z > j.threshold and j.z_without > j.threshold then cast('infinity' as double) end end as tip_z_min,
       case when j.missing is null and j.z > j.threshold and j.z_without > j.threshold then j.twelfths end as tip_twelfths_min,
       'low'                                     as severity,
       j.december                                as amount,
       j.as_of, j.buyer_id, j.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       case when j.series = 'contracts' and j.outcome = 'hit' then
           (select string_agg(c.id, chr(31) order by coalesce(c.value_initial, c.value_final) desc, c.id) from contracts c
            where c.source = j.source and c.buyer_id = j.buyer_id and year(c.signed_on) = j.y and month(c.signed_on) = 12
            and not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(c.value_initial, c.value_final) > 0)
       end                                       as contract_ids,
       j.n                                       as rows_read,
       j.peer_key, j.peer_n, round(j.med, 6) as peer_median, round(j.mad, 6) as peer_mad, j.value as peer_marked,
       j.y as ev_year, j.series as ev_series, j.n as ev_n, j.december_n as ev_december_n, j.total as ev_total, j.value as ev_share,
       case j.series when 'contracts' then 'assinou em contratos' when 'commitment' then 'empenhou' else 'pagou' end as ev_did,
       case j.series when 'contracts' then 'signed contracts worth' when 'commitment' then 'committed' else 'paid' end as ev_did_en,
       case j.series when 'contracts' then 'contratos assinados' when 'commitment' then 'empenhos emitidos' else 'pagamentos feitos' end as ev_what,
       case j.series when 'contracts' then 'contracts signed' when 'commitment' then 'commitments issued' else 'payments made' end as ev_what_en,
       j.shares as ev_shares, round(j.med, 6) as ev_median, round(j.mad, 6) as ev_mad, round(j.q1, 6) as ev_q1, round(j.q3, 6) as ev_q3,
       round(j.share_without, 6) as ev_share_without, j.z_without as ev_z_without,
       round(greatest($twelfths_min / 12.0, case when j.mad > 0 then j.med + j.threshold * j.mad / 0.6745 else j.q3 + 1.5 * (j.q3 - j.q1) end), 6) as ev_clear_share,
       case when j.mad > 0 then 'mad' end as ev_by_mad, case when j.mad = 0 and j.q3 > j.q1 then 'iqr' end as ev_by_iqr,
       cast(j.largest as double) / nullif(cast(j.december as double), 0) as ev_largest_share,
       cast(j.next_year as double) / nullif(cast(j.december as double), 0) as ev_next_year_share,
       cast(j.unstated as double) / nullif(cast(j.december as double), 0) as ev_unstated_share,
       'ruled_out' as ex_one_purchase,
       case when 2 * j.next_year > j.december then 'possible'
            when 2 * (j.next_year + j.unstated) <= j.december then 'ruled_out' end as ex_next_year
from   judged j
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from lacking
