-- What suppliers sell and what they are registered for: one row per class of item and supplier.
--
-- A class is a source's catalogue code; a contract without coded items counts by the line of activity of its object. A
-- sale is one purchase (tender, else contract) in which the supplier sells the class. A supplier holds the CNAE groups
-- (three digits) of the main and further activities of all its establishments.
with coded as (
    select id, source, source || '|' || coalesce(category, '') || '|' || catalog_code as class, supplier_id, supplier_name, tender_id, contract_id, buyer_id,
           total, description, currency
    from   items where catalog_code is not null
),
offered as (
    select i.class, 'catalog' as basis, 'items' as tbl, i.id, i.source,
           coalesce(i.supplier_id, c.supplier_id) as supplier_id, coalesce(i.supplier_name, c.supplier_name) as supplier_name,
           coalesce(i.tender_id, c.tender_id, c.id) as sale, i.contract_id, i.total as value, i.description as what,
           coalesce(c.signed_on, t.result_on, t.published_on, t.opened_on) as on_day, coalesce(i.buyer_id, c.buyer_id) as buyer_id
    from   coded i left join contracts c on c.id = i.contract_id left join tenders t on t.id = coalesce(i.tender_id, c.tender_id)
    where  coalesce(i.currency, 'BRL') = 'BRL' and not coalesce(c.income, false) and in_scope(i.class)
    union all
    select c.source || '||' || c.activity, 'text', 'contracts', c.id, c.source, c.supplier_id, c.supplier_name, coalesce(c.tender_id, c.id), c.id,
           coalesce(c.value_initial, c.value_final), c.activity, coalesce(c.signed_on, c.published_on), c.buyer_id
    from   contracts c
    where  c.activity is not null and coalesce(c.currency, 'BRL') = 'BRL' and not c.income and in_scope(c.source || '||' || c.activity)
    and    c.id not in (select i.contract_id from coded i where i.contract_id is not null)
),
sold as (
    select *, case when supplier_id like 'cnpj:%' then substr(supplier_id, 6, 8) end as root from offered where supplier_id like 'cnpj:%'
),
held as (
    select distinct cnpj_root as root, substr(trim(activity), 1, 3) as cnae
    from   (select cnpj_root, unnest(string_split(main_activity || ',' || coalesce(other_activities, ''), ',')) as activity
            from registrations where scope = 'establishment' and main_activity is not null and cnpj_root in (select root from sold)) as activities
    where  trim(activity) <> ''
),
mains as (
    select cnpj_root as root, min(substr(main_activity, 1, 3)) as main_cnae, count(distinct substr(main_activity, 1, 3)) as mains
    from   registrations where scope = 'establishment' and main_activity is not null and cnpj_root in (select root from sold) group by cnpj_root
),
sellers as (
    select s.class, s.root, min(s.basis) as basis, min(s.source) as source, count(distinct s.sale) as sales, sum(s.value) as amount, max(s.on_day) as as_of,
           max(s.supplier_id) as supplier_id, max(s.supplier_name) as supplier_name, min(s.what) as what,
           count(distinct s.buyer_id) as buyers, min(s.buyer_id) as buyer_id
    from   sold s group by s.class, s.root
),
known as (
    select s.*, m.main_cnae from sellers s join mains m on m.root = s.root
),
totals as (
    select class, sum(sales) as n, count(*) as suppliers from known group by class
),
by_cnae as (
    select k.class, h.cnae, sum(k.sales) as sales, count(*) as suppliers from known k join held h on h.root = k.root group by k.class, h.cnae
),
matched as (
    -- The best that any of the supplier's CNAE groups can say for it.
    select k.class, k.root, max(g.sales) as group_sales, max(g.suppliers) - 1 as alike,
           max(case when h.cnae in ('469', '471', '478') then 1 else 0 end) as general
    from   known k join held h on h.root = k.root join by_cnae g on g.class = k.class and g.cnae = h.cnae
    group  by k.class, k.root
),
shared as (
    select s.class || '|' || s.root as subject_id, s.*, k.main_cnae, m.general, m.alike, m.group_sales, t.n, t.suppliers,
           case when m.root is not null then round(cast(m.group_sales as double) / t.n, 6) end as value,
           case when t.suppliers > 1 then round(cast(m.alike as double) / (t.suppliers - 1), 6) end as alike_share
    from   sellers s
    left join totals t on t.class = s.class
    left join known k on k.class = s.class and k.root = s.root
    left join matched m on m.class = s.class and m.root = s.root
)
select *, case when value is not null then class end as peer_key,
       round(cast(sum(case when value <= $share_max then sales else 0 end) over (partition by class) as double) / n, 6) as tail,
       case when value is not null then round(100 * cume_dist() over (partition by class, value is null order by value), 1) end as percentile
from   shared
