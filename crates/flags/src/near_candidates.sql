-- Pairs of contracts that could be near-duplicates: same source, buyer and supplier, value within 1 %, at most 90 days
-- apart. A value and one within 1 % of it, above or below (ln 1/0.99 < ln 1.011), fall into the same or neighbouring buckets.
with judged as (
    select id, source, buyer_id, coalesce(supplier_root, supplier_id) as supplier, object, signed_on,
           coalesce(value_initial, value_final) as value,
           cast(floor(ln(cast(coalesce(value_initial, value_final) as double)) / ln(1.011)) as bigint) as bucket
    from   contracts
    where  not income and object is not null and signed_on is not null and buyer_id is not null
    and    coalesce(value_initial, value_final) > 0
    and    buyer_id || '|' || coalesce(supplier_root, supplier_id) in (select k from scope)
),
spread as (
    select *, bucket + step as near_bucket from judged cross join (values (-1), (0), (1)) as steps (step)
)
select a.id as earlier, b.id as later, a.object as earlier_object, b.object as later_object,
       date_diff('day', a.signed_on, b.signed_on) as days
from   judged a
join   spread b on b.source = a.source and b.buyer_id = a.buyer_id and b.supplier = a.supplier and b.near_bucket = a.bucket
where  (a.signed_on, a.id) < (b.signed_on, b.id)
and    date_diff('day', a.signed_on, b.signed_on) <= 90
and    abs(b.value - a.value) * 100 <= a.value
order by a.object
