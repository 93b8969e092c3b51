-- The fullest window of each kind of object: how many contracts of the cluster were signed in the months up to and
-- including one of them, each number once: a source may publish a contract more than once.
with members as (
    select coalesce(n.number_key, c.id) as number_key, c.source, k.cluster, c.signed_on, coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?') as peer_key
    from   object_clusters k join contracts c on c.id = k.id left join contract_numbers n on n.id = c.id
),
windows as (
    select a.cluster, a.peer_key, a.source, a.signed_on as until_on, count(distinct b.number_key) as n, min(b.signed_on) as from_on
    from   (select distinct cluster, peer_key, source, signed_on from members) a
    join   members b on b.cluster = a.cluster and b.signed_on <= a.signed_on and b.signed_on > a.signed_on - to_months(cast($months as integer))
    group  by a.cluster, a.peer_key, a.source, a.signed_on
),
ranked as (
    select *, row_number() over (partition by cluster order by n desc, until_on desc) as place from windows
)
select peer_key, cluster, source, until_on, from_on, n as value from ranked where place = 1
