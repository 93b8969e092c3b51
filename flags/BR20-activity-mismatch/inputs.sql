-- What is sold of the class (its items, or the contracts without coded items that the text of their object places in it), the
-- contracts and tenders of those items, and what the register says of the sellers.
with coded as (
    select id, contract_id, tender_id, supplier_id, buyer_id from items
    where  catalog_code is not null and in_scope(source || '|' || coalesce(category, '') || '|' || catalog_code)
),
sold as (
    select id, tender_id, supplier_id from contracts where id in (select contract_id from coded)
    union
    select id, tender_id, supplier_id from contracts
    where  in_scope(source || '||' || activity)
    and    id not in (select contract_id from items where contract_id is not null and catalog_code is not null)
),
sellers as (
    select substr(supplier_id, 6, 8) as root from coded where supplier_id like 'cnpj:%'
    union
    select substr(supplier_id, 6, 8) from sold where supplier_id like 'cnpj:%'
)
select 'items' as tbl, id from coded
union all
select 'contracts', id from sold
union all
select 'tenders', id from tenders where id in (select tender_id from coded) or id in (select tender_id from sold)
union all
select 'buyers', buyer_id from coded
union all
select 'registrations', id from registrations where scope = 'establishment' and cnpj_root in (select root from sellers)
