-- The contracts that could have a near-duplicate: those whose buyer and supplier have more than one contract in their
-- source. `part` cuts them into lots that are read one after the other, a pair never across two.
with spending as (
    select id, source || '|' || buyer_id || '|' || coalesce(supplier_root, supplier_id) as pair, object, signed_on,
           coalesce(value_initial, value_final) as value
    from   contracts
    where  not income and coalesce(currency, 'BRL') = 'BRL' and object is not null and signed_on is not null and buyer_id is not null
    and    coalesce(value_initial, value_final) > 0
    and    in_scope(buyer_id || '|' || coalesce(supplier_root, supplier_id))
)
select *, cast(hash(pair) % $parts as integer) as part
from   spending
where  pair in (select pair from spending group by pair having count(*) > 1)
