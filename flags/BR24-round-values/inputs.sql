-- Every contract that can be compared, of all bodies: each is compared with the others, and their p-values are corrected together.
select 'contracts' as tbl, id from contracts
where  not income and coalesce(currency, 'BRL') = 'BRL' and buyer_id is not null and activity is not null
and    coalesce(value_initial, value_final) >= 10000
