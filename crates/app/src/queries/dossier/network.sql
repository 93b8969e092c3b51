-- Who shares a partner, an address, a telephone or an e-mail address with these companies or persons (step 1), and who with
-- those (step 2). What many share says little: such ties are counted (`degree`) and beyond $most not followed.
with owners as (
    select company_root as node, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end as tie,
           min(name) as name
    from   partners where partner_id is not null group by all
),
ties as (
    select node, 'partner' as kind, tie, name from owners
    union all
    -- Each company is its own partner, so that one which owns another shares itself with it.
    select distinct cnpj_root, 'partner', 'cnpj:' || cnpj_root, cast(null as varchar) from registrations
    union all
    select distinct cnpj_root, 'address', address_key, cast(null as varchar) from registrations
    where  scope = 'establishment' and address_key is not null
    union all
    select distinct cnpj_root, 'email', email_key, cast(null as varchar) from registrations
    where  scope = 'establishment' and email_key is not null
    union all
    select distinct cnpj_root, 'telephone', unnest(string_split(phone_keys, ',')), cast(null as varchar) from registrations
    where  scope = 'establishment' and phone_keys is not null
),
ties_1 as materialized (
    select distinct kind, tie from ties where node in ($own)
    union select 'partner', tie from (values $own_ties) as own (tie)
),
met_1 as materialized (
    select t.node, t.kind, t.tie, max(t.name) as name from ties t join ties_1 o on o.kind = t.kind and o.tie = t.tie
    group by t.node, t.kind, t.tie
),
degrees_1 as (select kind, tie, count(distinct node) as degree from met_1 group by kind, tie),
step_1 as materialized (
    select m.node, m.kind, m.tie, m.name, d.degree
    from   met_1 m join degrees_1 d on d.kind = m.kind and d.tie = m.tie where m.node not in ($own)
),
near as materialized (select distinct node from step_1 where degree <= $most order by node limit 200),
ties_2 as materialized (
    select distinct t.kind, t.tie, t.node as via from ties t join near n on n.node = t.node
    where  not exists (select 1 from ties_1 o where o.kind = t.kind and o.tie = t.tie)
),
met_2 as materialized (
    select t.node, t.kind, t.tie, o.via, max(t.name) as name from ties t join ties_2 o on o.kind = t.kind and o.tie = t.tie
    group by t.node, t.kind, t.tie, o.via
),
degrees_2 as (select kind, tie, count(distinct node) as degree from met_2 group by kind, tie),
steps as (
    select 1 as step, node, cast(null as varchar) as via, kind, name, degree from step_1
    union all
    select 2, m.node, m.via, m.kind, m.name, d.degree
    from   met_2 m join degrees_2 d on d.kind = m.kind and d.tie = m.tie
    where  d.degree <= $most and m.node not in ($own) and m.node not in (select node from near)
)
select s.step, s.node, s.via, s.kind, max(s.name) as partner, min(s.degree) as degree, count(*) over () as total,
       (select min(r.name) from registrations r where r.cnpj_root = s.node and r.name is not null) as registered,
       (select min(u.name) from suppliers u where u.cnpj_root = s.node) as sells
from   steps s group by s.step, s.node, s.via, s.kind order by s.step, min(s.degree), s.kind, s.node, s.via limit $rows
