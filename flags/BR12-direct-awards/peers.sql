-- The share of direct awards of every buyer and year that can be judged, in its group: one source, sphere, year and order of
-- magnitude of what was contracted.
with spent as (
    select c.source, c.buyer_id, b.sphere, year(c.signed_on) as y, c.modality, c.id, coalesce(c.value_initial, c.value_final) as value
    from   contracts c join buyers b on b.id = c.buyer_id
    where  not c.income and c.currency = 'BRL' and b.sphere is not null and c.signed_on is not null
    and    coalesce(c.value_initial, c.value_final) > 0
    and    in_scope(c.source || '|' || b.sphere || '|' || cast(year(c.signed_on) as varchar))
),
totals as (
    select source, buyer_id, sphere, y, count(*) as n, sum(value) as total,
           coalesce(sum(case when modality in ('dispensa', 'inexigibilidade') then value end), 0) as direct,
           coalesce(sum(case when modality = 'inexigibilidade' then value end), 0) as unenforceable,
           coalesce(sum(case when modality is null then value end), 0) as unknown,
           max(case when modality in ('dispensa', 'inexigibilidade') then value end) as largest
    from   spent group by source, buyer_id, sphere, y having count(*) >= $contracts_min
)
select source || '|' || sphere || '|' || y || '|' || cast(floor(log10(cast(total as double))) as integer) as peer_key,
       buyer_id || '|' || y || '|' || source as row_id, n, total, direct, unenforceable, largest,
       round(cast(direct as double) / cast(total as double), 6) as value
from   totals where cast(unknown as double) <= $unknown_share_max * cast(total as double)
