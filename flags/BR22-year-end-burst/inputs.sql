-- The unit's rows of the series; of all units of the source one row of each month, and the newest: they say which years are whole.
with held as (
    select 'contracts' as tbl, 'contracts' as series, id, source, buyer_id, signed_on as on_day from contracts
    where  not income and coalesce(currency, 'BRL') = 'BRL' and signed_on is not null and buyer_id is not null and in_scope(source || '|contracts')
    union all
    select 'payments', kind, id, source, buyer_id, issued_on from payments
    where  kind in ('commitment', 'payment') and coalesce(currency, 'BRL') = 'BRL' and issued_on is not null and buyer_id is not null
    and    in_scope(source || '|' || kind)
),
own as (
    select tbl, id, buyer_id from held where starts_with($subject, source || '|' || series || '|' || buyer_id || '|')
)
select tbl, id from own
union all
select 'buyers', buyer_id from own
union all
select tbl, min(id) from held group by tbl, date_trunc('month', on_day)
union all
select tbl, id from (select tbl, id, row_number() over (order by on_day desc, id) as place from held) as h where place = 1
