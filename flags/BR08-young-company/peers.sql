-- Age at signature over all contracts of a supplier.
with companies as (
    select cnpj_root, min(opened_on) as opened_on from registrations where scope = 'establishment' group by cnpj_root
)
select c.supplier_root as peer_key, c.id as row_id, date_diff('day', r.opened_on, c.signed_on) as value
from   contracts c join companies r on r.cnpj_root = c.supplier_root
where  not c.income and c.signed_on >= r.opened_on and in_scope(c.supplier_root)
