-- One row per contract item judged, against the peers of its window (see peers.sql). What is missing is named, in the
-- order in which it is needed.
with quantiles as (
    select peer_key, min(group_key) as group_key, min(y) as y, min(years_back) as years_back, count(*) as n,
           quantile_cont(x, [0.25, 0.5, 0.75]) as xs, quantile_cont(value, [0.5, 0.75]) as prices,
           median(quantity) as quantity_median
    from   peers group by peer_key
),
spread as (
    select p.peer_key, median(abs(p.x - q.xs[2])) as mad
    from   peers p join quantiles q on q.peer_key = p.peer_key group by p.peer_key
),
windows as (
    select q.peer_key, q.group_key, q.y, q.years_back, q.n, q.xs[1] as q1, q.xs[2] as med, q.xs[3] as q3,
           q.prices[1] as median_price, q.prices[2] as q3_price, q.quantity_median, s.mad
    from   quantiles q join spread s on s.peer_key = q.peer_key
),
judged as (
    select i.id, i.source, i.contract_id, i.description, i.catalog_code, i.unit, i.unit_basis, i.quantity, i.unit_price,
           i.price_basis, i.total, c.signed_on, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, b.state,
           coalesce(i.supplier_id, c.supplier_id) as supplier_id, coalesce(i.supplier_name, c.supplier_name) as supplier_name,
           ln(cast(case when i.unit_price > 0 then i.unit_price end as double)) as x,
           coalesce(i.catalog_code || '|' || i.unit || '|' || b.state, '?') as group_key,
           case when c.id is null                                      then 'contracts'
                when i.unit_price is null or i.unit_price <= 0         then 'items.unit_price'
                when i.catalog_code is null                            then 'items.catalog_code'
                when i.unit is null                                    then 'items.unit'
                when b.state is null                                   then 'buyers.state'
                when c.signed_on is null                               then 'contracts.signed_on' end as missing,
           -- Items that lack something meet no window.
           case when i.unit_price > 0 then year(c.signed_on) end as y
    from   items i left join contracts c on c.id = i.contract_id left join buyers b on b.id = c.buyer_id
    where  i.contract_id is not null and not coalesce(c.income, false) and coalesce(i.currency, 'BRL') = 'BRL'
    and    in_scope(coalesce(i.catalog_code || '|' || i.unit || '|' || b.state, '?'))
),
measured as (
    select j.*, w.peer_key, w.n, w.med, w.mad, w.q1, w.q3, w.median_price, w.q3_price, w.quantity_median, w.years_back,
           -- Judged as it is published, with four decimals: a price on the threshold is not beyond it.
           round(case when w.mad > 0 then 0.6745 * (j.x - w.med) / w.mad
                      when w.q3 > w.q1 then (j.x - w.q3) / (w.q3 - w.q1) end, 4) as measure,
           case when w.mad > 0 then $z_min when w.q3 > w.q1 then 1.5 end as threshold
    from   judged j left join windows w on w.group_key = j.group_key and w.y = j.y
),
-- Where a hit stands among its peers.
ranks as (
    select m.id, round(100.0 * count(case when p.x <= m.x then 1 end) / count(*), 1) as percentile
    from   measured m join peers p on p.peer_key = m.peer_key
    where  m.measure > m.threshold group by m.id
)
select m.id                                      as subject_id,
       m.group_key,
       m.source,
       case when m.missing is not null           then 'not_computable'
            when coalesce(m.n, 0) < $peers_min   then 'not_computable'
            when m.measure is null               then 'not_computable'
            when m.measure > m.threshold         then 'hit'
            else 'clear' end                     as outcome,
       case when m.missing is not null           then m.missing
            when coalesce(m.n, 0) < $peers_min   then 'peers'
            when m.measure is null               then 'peers.spread' end as missing,
       m.measure,
       m.threshold,
       case when m.missing is null and m.n >= $peers_min then
            case when m.mad > 0 then m.measure when m.measure > m.threshold then cast('infinity' as double) end end as tip_z_min,
       case when m.unit_price >= 5 * m.median_price and m.unit_basis = 'stated' then 'high'
            when m.unit_price >= 2 * m.median_price then 'medium' else 'low' end as severity,
       cast(greatest((m.unit_price - cast(m.q3_price as decimal(18,4))) * m.quantity, 0) as decimal(18,4)) as amount,
       m.signed_on                               as as_of,
       m.buyer_id, m.buyer_name, m.supplier_id, m.supplier_name,
       m.contract_id                             as contract_ids,
       m.n                                       as rows_read,
       m.peer_key,
       m.n                                       as peer_n,
       cast(m.median_price as decimal(18,4))     as peer_median,
       round(m.mad, 6)                           as peer_mad,
       m.unit_price                              as peer_marked,
       r.percentile                              as peer_percentile,
       m.description as ev_description, m.catalog_code as ev_catalog_code, m.unit as ev_unit, m.quantity as ev_quantity,
       m.unit_price as ev_unit_price, m.state as ev_state,
       case when m.price_basis = 'derived' then m.total end as ev_total,
       case when m.price_basis = 'stated' then 'sim' end as ev_stated,
       case when m.years_back = 0 then cast(m.y as varchar) else (m.y - 1) || '–' || m.y end as ev_window,
       cast(m.q3_price as decimal(18,4))         as ev_q3,
       cast(m.unit_price as double) / nullif(cast(m.median_price as double), 0) as ev_ratio,
       case when m.mad > 0 then 'mad' end        as ev_by_mad,
       case when m.mad = 0 and m.q3 > m.q1 then 'iqr' end as ev_by_iqr,
       round(m.x, 6) as ev_ln_price, round(m.med, 6) as ev_ln_median, round(m.q1, 6) as ev_ln_q1, round(m.q3, 6) as ev_ln_q3,
       m.quantity_median                         as ev_quantity_median,
       cast(exp(case when m.mad > 0 then m.med + m.threshold * m.mad / 0.6745 else m.q3 + 1.5 * (m.q3 - m.q1) end) as decimal(18,2)) as ev_clear_price,
       cast(power(10, round(log10(cast(m.unit_price as double) / nullif(cast(m.median_price as double), 0)))) as bigint) as ev_power,
       -- The price of the whole, or a decimal mark that slipped: within 5 % of ten, a hundred or a thousand times the median.
       case when m.price_basis = 'stated' and m.quantity > 1 and m.unit_price = m.total then 'likely'
            when round(log10(cast(m.unit_price as double) / nullif(cast(m.median_price as double), 0))) between 1 and 3
             and round(abs(cast(m.unit_price as double) / cast(m.median_price as double)
                     / power(10, round(log10(cast(m.unit_price as double) / cast(m.median_price as double)))) - 1), 6) <= 0.05 then 'possible'
       end as ex_typing_error,
       case m.unit_basis when 'text' then 'possible' when 'stated' then 'ruled_out' end as ex_unit_from_text,
       case when m.quantity < m.quantity_median then 'possible' when m.quantity >= m.quantity_median then 'ruled_out' end as ex_small_quantity
from   measured m
left join ranks r on r.id = m.id
