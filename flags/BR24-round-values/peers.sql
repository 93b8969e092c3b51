-- Contracts of ten thousand reais or more, whether their value is a whole number of thousands, and how often that is so
-- among the *other* buyers' contracts of the same source, sphere, line of activity and order of magnitude.
with stated as (
    select c.id, c.source, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, b.sphere, c.activity, c.signed_on, c.modality,
           coalesce(c.value_initial, c.value_final) as value,
           case when c.buyer_id is null  then 'contracts.buyer_id'
                when coalesce(c.value_initial, c.value_final) is null then 'contracts.value'
                when b.sphere is null    then 'buyers.sphere'
                when c.activity is null  then 'contracts.activity' end as missing
    from   contracts c left join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and in_scope('all')
    and    (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) >= 10000)
),
sized as (
    select *, case when missing is null then source || '|' || sphere || '|' || activity || '|' || (length(split_part(cast(value as varchar), '.', 1)) - 1) end as cell,
           case when value % 1000 = 0 then 1 else 0 end as is_round
    from   stated
),
own as (
    select cell, buyer_id, count(*) as n, sum(is_round) as k, row_number() over (partition by cell order by count(*) desc, sum(is_round), buyer_id) as place
    from   sized where missing is null group by cell, buyer_id
),
cells as (
    select cell, sum(n) as n, sum(k) as k, count(*) as buyers from own group by cell
),
odds as (
    -- The others' share, with and without the one of them that has most contracts: the greater, so that one body's habit makes
    -- nobody else conspicuous. Half a contract is added to either side: a cell without a round value makes one rare, not impossible.
    select o.cell, o.buyer_id, o.n, c.n - o.n - l.n as others, c.buyers - 1 as bodies,
           greatest(cast(c.k - o.k + 0.5 as double) / (c.n - o.n + 1), cast(c.k - o.k - l.k + 0.5 as double) / (c.n - o.n - l.n + 1)) as chance
    from   own o join cells c on c.cell = o.cell
    join   own l on l.cell = o.cell and l.place = case when o.place = 1 then 2 else 1 end
),
units as (
    select split_part(o.cell, '|', 1) as source, split_part(o.cell, '|', 2) as sphere, o.buyer_id, sum(w.n) as n, sum(w.k) as k
    from   odds o join own w on w.cell = o.cell and w.buyer_id = o.buyer_id
    where  o.others >= $peers_min and o.bodies >= $bodies_min group by split_part(o.cell, '|', 1), split_part(o.cell, '|', 2), o.buyer_id
)
select s.source || '|' || s.buyer_id as unit, s.id, s.source, s.buyer_id, s.buyer_name, s.sphere, s.activity, s.signed_on, s.modality, s.value as amount, s.is_round, s.missing, s.cell, o.chance,
       coalesce(o.others >= $peers_min and o.bodies >= $bodies_min, false) as comparable,
       -- One row per unit stands for it among its peers: the share of round contracts.
       case when u.n >= $contracts_min and s.missing is null and row_number() over (partition by s.source, s.buyer_id, s.missing is null order by s.id) = 1
            then round(cast(u.k as double) / u.n, 6) end as value,
       case when u.n >= $contracts_min and s.missing is null and row_number() over (partition by s.source, s.buyer_id, s.missing is null order by s.id) = 1
            then s.source || '|' || s.sphere end as peer_key
from   sized s
left join odds o on o.cell = s.cell and o.buyer_id = s.buyer_id
left join units u on u.source = s.source and u.sphere = s.sphere and u.buyer_id = s.buyer_id
