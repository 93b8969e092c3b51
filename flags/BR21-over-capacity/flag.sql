-- One row per company and year: was it contracted for more than its size may earn, or than its capital bears?
--
-- A hit needs the contracts whose term is known to exceed the reference; clear needs all of them to stay within it.
with companies as (
    select cnpj_root, max(size) as size, max(capital) as capital, count(*) as n from registrations where scope = 'company' and in_scope(cnpj_root) group by cnpj_root
),
meis as (
    select cnpj_root, mei_from, mei_until from registrations where scope = 'simples' and mei_from is not null and in_scope(cnpj_root)
),
crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
sized as (
    select p.*, r.cnpj_root as known, r.capital,
           -- A MEI of the whole year; of a part of it the company's own size counts.
           case when exists (select 1 from meis m where m.cnpj_root = p.peer_key and m.mei_from <= make_date(p.y, 1, 1)
                             and (m.mei_until is null or m.mei_until >= make_date(p.y, 12, 31))) then 'MEI' else r.size end as held_size
    from   peers p left join companies r on r.cnpj_root = p.peer_key
),
limited as (
    select s.*, l.amount as limit_amount, l.act, l.from_on as law_from, l.until_on as law_to,
           l.amount is not null and s.value > l.amount as over_size,
           s.capital is not null and s.capital < $capital_max and s.value >= $awards_min as over_capital
    from   sized s
    left join revenue_limits l on l.size = s.held_size and make_date(s.y, 12, 31) between l.from_on and l.until_on
),
judged_years as (
    select *, case when known is null                            then 'registrations'
                   when over_size or over_capital                then null
                   when held_size is null                        then 'registrations.size'
                   when capital is null                          then 'registrations.capital'
                   when held_size in ('MEI', 'ME', 'EPP') and limit_amount is null then 'law.revenue_limits'
                   when without_term > 0 and (value_max > limit_amount or (capital < $capital_max and value_max >= $awards_min)) then 'contracts.ends_on' end as missing
    from   limited
),
-- What was added up, told of the hits alone.
summed as (
    select c.id, c.supplier_root, year(c.signed_on) as y, c.signed_on,
           case when c.ends_on is null then null
                else cast(round(cast(coalesce(c.value_initial, c.value_final) as double)
                     * least(1.0, 365.0 / greatest(1, date_diff('day', coalesce(c.starts_on, c.signed_on), c.ends_on) + 1)), 2) as decimal(18,2)) end as year_value
    from   judged_years j join contracts c on c.supplier_root = j.peer_key and year(c.signed_on) = j.y
    where  j.missing is null and (j.over_size or j.over_capital)
    and    not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(c.value_initial, c.value_final) > 0
),
told as (
    select supplier_root, y, string_agg(case when place <= 8 then replace(cast(year_value as varchar), '.', ',') end, ' + ' order by place)
             || case when count(*) > 8 then ' + …' else '' end as parts,
           string_agg(id, chr(31) order by signed_on, id) as contract_ids
    from   (select *, row_number() over (partition by supplier_root, y order by year_value desc, id) as place from summed where year_value is not null) as ranked
    group  by supplier_root, y
),
lacking as (
    select c.id, c.source, coalesce(c.supplier_root, '?') as group_key,
           case when c.supplier_id is null then 'contracts.supplier_id'
                when c.signed_on is null   then 'contracts.signed_on'
                when coalesce(c.value_initial, c.value_final) is null then 'contracts.value' end as missing
    from   contracts c
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.supplier_id is null or c.supplier_root is not null)
    and    in_scope(coalesce(c.supplier_root, '?'))
)
select j.peer_key || '|' || cast(j.y as varchar) as subject_id, j.peer_key as group_key, j.source,
       case when j.missing is not null then 'not_computable' when j.over_size or j.over_capital then 'hit' else 'clear' end as outcome,
       j.missing,
       case when j.missing is null then j.value end as measure,
       case when j.over_size then j.limit_amount when j.over_capital then $awards_min else coalesce(j.limit_amount, $awards_min) end as threshold,
       case when j.known is null then null when j.over_size then cast('-infinity' as double)
            when j.value >= $awards_min then cast(j.capital as double) end as tip_capital_max,
       case when j.known is null then null when j.over_size then cast('infinity' as double)
            when j.capital < $capital_max then cast(j.value as double) end as tip_awards_min,
       case when j.over_size and j.held_size = 'MEI' then 'medium' else 'low' end as severity,
       j.value                                   as amount,
       j.as_of, cast(null as varchar) as buyer_id, cast(null as varchar) as buyer_name, j.supplier_id, j.supplier_name, o.contract_ids, 1 + j.n as rows_read,
       j.peer_key, c.n as peer_n, round(c.med, 2) as peer_median, round(d.mad, 2) as peer_mad, j.value as peer_marked,
       j.y as ev_year, j.n - j.without_term as ev_n, o.parts as ev_sum, j.held_size as ev_size, j.limit_amount as ev_limit, j.act as ev_act, j.capital as ev_capital,
       case when j.over_size then 'sim' end as ev_over_size, case when j.over_capital then 'sim' end as ev_over_capital,
       case when j.over_size then 'O porte informado (' || j.held_size || ') admite receita de até R$ ' || replace(cast(cast(j.limit_amount as decimal(18,2)) as varchar), '.', ',') || ' no ano.'
            else 'O capital social informado é de R$ ' || replace(cast(cast(j.capital as decimal(18,2)) as varchar), '.', ',') || '.' end as ev_reason,
       j.registered as ev_registered,
       case when j.registered > 0 then 'possible' when j.registration_unknown = 0 then 'ruled_out' end as ex_awards_are_not_revenue,
       case when j.held_size = 'MEI' and not j.over_capital then 'ruled_out' else 'possible' end as ex_size_changed
from   judged_years j
left join crowd c on c.peer_key = j.peer_key
left join deviation d on d.peer_key = j.peer_key
left join told o on o.supplier_root = j.peer_key and o.y = j.y
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from lacking where missing is not null
