-- The tender with its bids and contracts; what the register says of the bidders and of whoever shares a tie with one of them.
with bidders as (
    select distinct coalesce(bidder_root, case when bidder_id like 'cnpj:%' then substr(bidder_id, 6, 8) end, bidder_id) as node
    from   bids where in_scope(tender_id)
),
contacts as (
    select id, cnpj_root as node, 'a' || address_key as tie from registrations where scope = 'establishment' and address_key is not null
    union all select id, cnpj_root, 'e' || email_key from registrations where scope = 'establishment' and email_key is not null
    union all select id, cnpj_root, 'p' || unnest(string_split(phone_keys, ',')) from registrations where scope = 'establishment' and phone_keys is not null
),
owners as (
    select id, company_root as node, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end as tie from partners
)
select 'tenders' as tbl, id from tenders where in_scope(id)
union all
select 'bids', id from bids where in_scope(tender_id)
union all
select 'contracts', id from contracts where in_scope(tender_id)
union all
select 'registrations', id from registrations where scope = 'establishment' and cnpj_root in (select node from bidders)
union all
select 'registrations', id from contacts where tie in (select c.tie from contacts c where c.node in (select node from bidders))
union all
select 'partners', id from owners
where  tie in (select o.tie from owners o where o.node in (select node from bidders))
or     tie in (select case when contains(node, ':') then node else 'cnpj:' || node end from bidders)
