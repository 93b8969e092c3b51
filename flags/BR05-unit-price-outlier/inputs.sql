-- The items of one code, unit and state, and their contracts.
with own as (
    select i.id, i.contract_id
    from   items i left join contracts c on c.id = i.contract_id left join buyers b on b.id = c.buyer_id
    where  in_scope(coalesce(i.catalog_code || '|' || i.unit || '|' || b.state, '?'))
)
select 'items' as tbl, id from own
union all
select 'contracts', contract_id from own
