-- The fullest window of each kind of object: on how many days the contracts of the cluster were signed in the months up to and
-- including one of them. Each number counts once, on its first day, since a source may publish a contract more than once;
-- and what is signed on one day is one decision. Kinds that are engagements of artists alone are left out.
with contracted as (
    select k.cluster, c.source, coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?') as peer_key,
           coalesce(n.number_key, c.id) as number_key, c.signed_on,
           regexp_matches(lower(strip_accents(c.object)), '(^|[^a-z])(artis[a-z]+|shows?|(apresentac(ao|oes)|atrac(ao|oes)|espetaculos?) music[a-z]+)([^a-z]|$)')
           or regexp_matches(lower(strip_accents(coalesce(c.legal_basis, t.legal_basis, ''))), '(^|[^0-9])(74,? *(inc[a-z.]* )?ii|25,? *(inc[a-z.]* )?iii)([^a-z]|$)') as artistic
    from   object_clusters k join contracts c on c.id = k.id left join contract_numbers n on n.id = c.id left join tenders t on t.id = c.tender_id
),
members as (
    select cluster, source, peer_key, number_key, min(signed_on) as signed_on from contracted
    where  cluster in (select cluster from contracted where not artistic)
    group  by cluster, source, peer_key, number_key
),
windows as (
    select a.cluster, a.peer_key, a.source, a.signed_on as until_on, count(distinct b.signed_on) as n, count(*) as numbers, min(b.signed_on) as from_on
    from   (select distinct cluster, peer_key, source, signed_on from members) a
    join   members b on b.cluster = a.cluster and b.signed_on <= a.signed_on and b.signed_on > a.signed_on - to_months(cast($months as integer))
    group  by a.cluster, a.peer_key, a.source, a.signed_on
),
ranked as (
    select *, row_number() over (partition by cluster order by n desc, until_on desc) as place from windows
)
select peer_key, cluster, source, until_on, from_on, numbers, n as value from ranked where place = 1
