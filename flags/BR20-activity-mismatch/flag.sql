-- One row per class of item and supplier: does hardly anyone registered for what the supplier is registered for sell it?
with crowd as (
    select peer_key, count(value) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
trades as (
    select p.class, string_agg(p.cnae || ' (' || p.suppliers || ')', ', ' order by p.place) as trades
    from   (select class, main_cnae as cnae, count(*) as suppliers, row_number() over (partition by class order by count(*) desc, main_cnae) as place
            from peers where main_cnae is not null group by class, main_cnae) as p
    where  p.place <= 3 group by p.class
),
judged as (
    select p.*, case when p.value is null              then 'registrations.main_activity'
                     when p.n < $sales_min             then 'sales'
                     when p.suppliers - 1 < $sellers_min then 'peers'
                     when p.tail > $tail_max           then 'peers.spread' end as missing
    from   peers p
),
-- What is told of the hits alone.
hits as (
    select subject_id, class, root from judged where missing is null and value <= $share_max and alike_share <= $alike_max
),
sold as (
    select h.subject_id, i.contract_id
    from   items i join hits h on h.class = i.source || '|' || coalesce(i.category, '') || '|' || i.catalog_code
    left join contracts c on c.id = i.contract_id
    where  i.contract_id is not null and coalesce(i.currency, 'BRL') = 'BRL' and not coalesce(c.income, false)
    and    coalesce(i.supplier_id, c.supplier_id) like 'cnpj:%' and substr(coalesce(i.supplier_id, c.supplier_id), 6, 8) = h.root
    union
    select h.subject_id, c.id
    from   contracts c join hits h on h.class = c.source || '||' || c.activity and substr(c.supplier_id, 6, 8) = h.root
    where  c.supplier_id like 'cnpj:%' and coalesce(c.currency, 'BRL') = 'BRL' and not c.income
    and    c.id not in (select contract_id from items where contract_id is not null and catalog_code is not null)
),
signed as (
    select subject_id, string_agg(contract_id, chr(31) order by contract_id) as contract_ids from sold group by subject_id
),
registered as (
    select h.subject_id, string_agg(r.id, chr(31) order by r.id) as registration_ids
    from   hits h join registrations r on r.cnpj_root = h.root
    where  r.scope = 'establishment' and r.main_activity is not null group by h.subject_id
),
trained as (
    select subject_id, string_agg(cnae, ', ' order by cnae) as cnaes
    from   (select distinct h.subject_id, substr(trim(a.activity), 1, 3) as cnae
            from   hits h join (select cnpj_root, unnest(string_split(main_activity || ',' || coalesce(other_activities, ''), ',')) as activity
                                from registrations where scope = 'establishment' and main_activity is not null) as a on a.cnpj_root = h.root
            where  trim(a.activity) <> '') as own
    group  by subject_id
),
held as (
    select id, source, contract_id, catalog_code, supplier_id, currency from items
),
lacking as (
    -- An item of a tender is sold only where its winner is named; one of a contract without a code counts by the contract's text.
    select i.id, i.source, case when i.catalog_code is null then 'items.catalog_code' else 'contracts.supplier_id' end as missing
    from   held i left join contracts c on c.id = i.contract_id
    where  coalesce(i.currency, 'BRL') = 'BRL' and not coalesce(c.income, false)
    and    case when i.catalog_code is null then i.contract_id is null and i.supplier_id is not null
                else i.contract_id is not null and coalesce(i.supplier_id, c.supplier_id) is null end
    union all
    select c.id, c.source, case when c.activity is null then 'contracts.activity' else 'contracts.supplier_id' end
    from   contracts c
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.activity is null or c.supplier_id is null)
    and    c.id not in (select i.contract_id from held i where i.contract_id is not null and i.catalog_code is not null)
)
select j.subject_id, j.class as group_key, j.source,
       case when j.missing is not null then 'not_computable'
            when j.value <= $share_max and j.alike_share <= $alike_max then 'hit'
            else 'clear' end                     as outcome,
       j.missing,
       case when j.missing is null then j.value end as measure,
       $share_max                                as threshold,
       case when j.missing is null and j.value <= $share_max then j.alike_share end as tip_alike_max,
       'low'                                     as severity,
       j.amount, j.as_of,
       case when j.buyers = 1 then j.buyer_id end as buyer_id, b.name as buyer_name,
       j.supplier_id, j.supplier_name, s.contract_ids, j.sales as rows_read,
       j.peer_key, c.n as peer_n, round(c.med, 6) as peer_median, round(d.mad, 6) as peer_mad, j.value as peer_marked,
       j.percentile                              as peer_percentile,
       j.what as ev_what, case j.basis when 'catalog' then split_part(j.class, '|', 3) end as ev_code,
       case j.basis when 'catalog' then 'código de catálogo ' || split_part(j.class, '|', 3) else 'ramo lido do texto do objeto' end as ev_basis,
       case j.basis when 'catalog' then 'catalogue code ' || split_part(j.class, '|', 3) else 'line of activity read from the text of the object' end as ev_basis_en,
       j.sales as ev_sales, j.n as ev_n, j.suppliers as ev_suppliers, j.group_sales as ev_group_sales, floor($share_max * j.n) + 1 as ev_clear_sales, j.alike as ev_alike,
       j.suppliers - 1 as ev_others, j.alike_share as ev_alike_share, j.main_cnae as ev_main, a.cnaes as ev_cnaes, t.trades as ev_trades, j.tail as ev_tail,
       r.registration_ids as ev_registrations,
       case j.general when 1 then 'possible' when 0 then 'ruled_out' end as ex_general_trade,
       case j.basis when 'text' then 'possible' else 'ruled_out' end as ex_class_from_text
from   judged j
left join crowd c on c.peer_key = j.peer_key
left join deviation d on d.peer_key = j.peer_key
left join trades t on t.class = j.class
left join signed s on s.subject_id = j.subject_id
left join registered r on r.subject_id = j.subject_id
left join trained a on a.subject_id = j.subject_id
left join buyers b on b.id = case when j.buyers = 1 then j.buyer_id end
union all by name
select id as subject_id, '?' as group_key, source, 'not_computable' as outcome, missing from lacking where in_scope('?')
