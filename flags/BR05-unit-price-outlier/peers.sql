-- The peers of every computable item: same catalogue code, unit and state; the year of signature, or that year and the
-- one before when the year alone has fewer than $peers_min. One row per peer of a window; a window is numbered.
with priced as (
    select i.id, i.unit_price, i.quantity, year(c.signed_on) as y, i.catalog_code || '|' || i.unit || '|' || b.state as group_key
    from   items i join contracts c on c.id = i.contract_id join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(i.currency, 'BRL') = 'BRL' and i.unit_price > 0 and i.catalog_code is not null and i.unit is not null
    and    b.state is not null and c.signed_on is not null
    and    in_scope(i.catalog_code || '|' || i.unit || '|' || b.state)
),
windows as (
    select row_number() over (order by group_key, y) as peer_key, group_key, y,
           case when n >= $peers_min then y else y - 1 end as y_from
    from   (select group_key, y, count(*) as n from priced group by group_key, y) as years
)
select w.peer_key, w.group_key, w.y, w.y - w.y_from as years_back, p.id as row_id, p.unit_price as value,
       ln(cast(p.unit_price as double)) as x, p.quantity
from   windows w join priced p on p.group_key = w.group_key and p.y between w.y_from and w.y
