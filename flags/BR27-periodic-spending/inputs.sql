-- Every commitment and payment of every unit: their p-values are corrected together, and all of a source say which months it holds.
with spent as (
    select id, buyer_id from payments
    where  kind in ('commitment', 'payment') and coalesce(currency, 'BRL') = 'BRL' and buyer_id is not null and issued_on is not null
)
select 'payments' as tbl, id from spent
union all
select 'buyers', buyer_id from spent
