-- The company's contracts; the sanctioned ones it is linked with by a partner; what the register says of both; of each list the
-- sanction that says until when it speaks.
with owners as (
    select id, company_root as root, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end as partner from partners
),
linked as (
    select o.root from owners o where o.partner in (select m.partner from owners m where in_scope(m.root))
    union
    select substr(partner, 6, 8) from owners where partner like 'cnpj:%' and in_scope(root)
    union
    select root from owners where partner like 'cnpj:%' and in_scope(substr(partner, 6, 8))
),
sanctioned as (
    select id, supplier_root as root from sanctions where supplier_root in (select root from linked)
)
select 'contracts' as tbl, id from contracts where in_scope(coalesce(supplier_root, '?'))
union all
select 'registrations', id from registrations where in_scope(cnpj_root) or cnpj_root in (select root from sanctioned)
union all
select 'partners', id from owners where in_scope(root) or root in (select root from sanctioned)
union all
select 'sanctions', id from sanctioned
union all
select 'sanctions', arg_max(id, listed_on) from sanctions group by file_id
