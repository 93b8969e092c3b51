-- One row per contract with a company: was the company opened within a year after a sanction that bars contracting began
-- for another, with a partner in common and the same address or main activity, and was that sanction in force at
-- signature with a scope that reaches the buyer? The scope is read as in BR01.
with bodies as (
    select id, name, sphere, state,
           trim(regexp_replace(lower(strip_accents(name)), '[^a-z0-9]+', ' ', 'g'))                        as name_key,
           trim(regexp_replace(lower(strip_accents(coalesce(parent_name, ''))), '[^a-z0-9]+', ' ', 'g'))   as parent_key,
           trim(regexp_replace(lower(strip_accents(coalesce(superior_name, ''))), '[^a-z0-9]+', ' ', 'g')) as superior_key,
           trim(regexp_replace(lower(strip_accents(coalesce(municipality, ''))), '[^a-z0-9]+', ' ', 'g'))  as city_key
    from   buyers
),
spending as (
    select c.id, c.source, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, c.supplier_id, c.supplier_name, c.supplier_root,
           c.signed_on, coalesce(c.value_initial, c.value_final) as value, coalesce(c.supplier_root, '?') as group_key,
           b.sphere, b.state, b.name_key, b.parent_key, b.superior_key, b.city_key
    from   contracts c left join bodies b on b.id = c.buyer_id
    where  not c.income and c.currency = 'BRL' and (c.supplier_root is not null or c.supplier_id is null)
    and    in_scope(coalesce(c.supplier_root, '?'))
),
held as (
    select (select count(*) from registrations where scope = 'establishment') as registrations, (select count(*) from partners) as partners,
           (select count(*) from sanctions) as sanctions, (select max(listed_on) from sanctions) as listed_until
),
lists as (
    select file_id, max(listed_on) as listed_until from sanctions group by file_id
),
barring as (
    select s.*, l.listed_until, (s.ends_on is null and (s.kind = 'inidoneidade' or lower(coalesce(s.kind_as_stated, '')) like '%sem prazo%')) as open_ended
    from   sanctions s join lists l on l.file_id = s.file_id
    where  s.bars_contracting and s.supplier_root is not null
),
-- A company opens with its first establishment; one without a day may be the first, and so may a head office not held.
opened as (
    select cnpj_root as root, case when count(opened_on) = count(*) and bool_or(coalesce(head_office, false)) then min(opened_on) end as opened_on
    from   registrations where scope = 'establishment' and cnpj_root in (select supplier_root from spending) group by cnpj_root
),
owners as (
    select company_root, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end as partner, min(name) as name,
           min(kind) as kind, case when count(since_on) = count(*) then min(since_on) end as since_on
    from   partners where partner_id is not null
    group  by company_root, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end
),
-- A partner is common also where one company is the partner of the other.
linked as (
    select a.company_root as new_root, b.company_root as old_root, a.partner, a.kind, a.since_on as new_since, b.since_on as old_since
    from   owners a join owners b on b.partner = a.partner and b.company_root <> a.company_root
    union all
    select a.company_root, substr(a.partner, 6, 8), a.partner, a.kind, a.since_on, cast('1800-01-01' as date) from owners a where a.partner like 'cnpj:%'
    union all
    select substr(a.partner, 6, 8), a.company_root, a.partner, a.kind, cast('1800-01-01' as date), a.since_on from owners a where a.partner like 'cnpj:%'
),
-- Companies opened within the year after a sanction on one they are linked with.
successors as (
    select o.root as new_root, o.opened_on, l.partner, l.kind as partner_kind, l.new_since, l.old_since, s.id as sanction_id, s.starts_on, s.ends_on,
           s.open_ended, s.listed_until, s.body_key, s.body, s.body_sphere, s.body_state, s.scope_min, s.scope_max, s.register,
           s.kind_as_stated, s.supplier_root as old_root, s.supplier_name as old_name, s.supplier_id as old_id
    from   opened o join linked l on l.new_root = o.root join barring s on s.supplier_root = l.old_root
    where  l.new_root <> l.old_root
    and    (s.starts_on is null
            or (s.starts_on <= o.opened_on
                and (year(o.opened_on) * 12 + month(o.opened_on)) * 31 + day(o.opened_on)
                    <= (year(s.starts_on) * 12 + month(s.starts_on) + $months_max) * 31 + day(s.starts_on)))
),
likeness as (
    select s.new_root, s.old_root,
           max(case when a.address_key = b.address_key then 1 else 0 end) as same_address,
           max(case when a.address_key = b.address_key then a.address_key end) as shared_address,
           max(case when a.main_activity = b.main_activity then 1 else 0 end) as same_activity,
           count(case when a.address_key is not null and b.address_key is not null then 1 end) as addresses,
           count(case when a.main_activity is not null and b.main_activity is not null then 1 end) as activities
    from   (select distinct new_root, old_root from successors) s
    left join registrations a on a.cnpj_root = s.new_root and a.scope = 'establishment'
    left join registrations b on b.cnpj_root = s.old_root and b.scope = 'establishment'
    group  by s.new_root, s.old_root
),
related as (
    select c.id as contract_id, c.signed_on, c.sphere, c.state, s.*, k.same_address, k.shared_address, k.same_activity, k.addresses, k.activities,
           case when coalesce(s.body_key, '') = ''                                     then 0
                when s.body_key in (c.name_key, c.parent_key, c.superior_key)          then 0
                when (c.name_key <> '' and (contains(c.name_key, s.body_key) or contains(s.body_key, c.name_key)))
                  or (c.parent_key <> '' and (contains(c.parent_key, s.body_key) or contains(s.body_key, c.parent_key))) then 0
                when s.body_sphere is null or c.sphere is null                         then 1
                when s.body_sphere <> c.sphere and not (s.body_sphere in ('D', 'E') and c.sphere in ('D', 'E')) then 3
                when c.sphere = 'F' or s.body_state is null or c.state is null         then 1
                when s.body_state <> c.state                                           then 3
                else 1 end as nearest,
           case when coalesce(s.body_key, '') = ''                                     then 3
                when s.body_key in (c.name_key, c.parent_key, c.superior_key)          then 0
                when s.body_sphere is null or c.sphere is null                         then 3
                when s.body_sphere <> c.sphere and not (s.body_sphere in ('D', 'E') and c.sphere in ('D', 'E')) then 3
                when c.sphere = 'F'                                                    then 2
                when s.body_state is null or c.state is null or s.body_state <> c.state then 3
                when c.sphere in ('E', 'D')                                            then 2
                when c.city_key <> '' and contains(s.body_key, c.city_key)             then 2
                else 3 end as farthest
    from   spending c
    join   successors s on s.new_root = c.supplier_root
    join   likeness k on k.new_root = s.new_root and k.old_root = s.old_root
    where  (s.starts_on is null or c.signed_on >= s.starts_on) and (s.ends_on is null or c.signed_on <= s.ends_on)
    and    (s.new_since is null or s.new_since <= c.signed_on) and (s.old_since is null or s.old_since <= c.signed_on)
),
decided as (
    select *,
           case when nearest > scope_max                                                     then 'clear'
                when same_address = 0 and same_activity = 0 and addresses > 0 and activities > 0 then 'clear'
                when missing is not null                                                     then 'not_computable'
                else 'hit' end as decision
    from   (select *, case when starts_on is null then 'sanctions.starts_on'
                           when same_address = 0 and same_activity = 0 and activities = 0 then 'registrations.main_activity'
                           when same_address = 0 and same_activity = 0 then 'registrations.address_key'
                           when new_since is null or old_since is null then 'partners.since_on'
                           when ends_on is null and not open_ended      then 'sanctions.ends_on'
                           when ends_on is null and signed_on > listed_until then 'sanctions.listed_on'
                           when scope_min is null or farthest > scope_min then 'sanctions.scope' end as missing
            from related) as r
),
ranked as (
    select *, row_number() over (partition by contract_id
               order by case decision when 'hit' then 0 when 'not_computable' then 1 else 2 end, same_address desc, starts_on, sanction_id, partner) as place
    from   decided
)
select c.id                                     as subject_id,
       c.group_key, c.source,
       case when s.decision = 'hit'              then 'hit'
            when coalesce(m.missing, case when s.decision = 'not_computable' then s.missing end) is not null then 'not_computable'
            else 'clear' end                    as outcome,
       case when s.decision = 'hit'              then null
            else coalesce(m.missing, case when s.decision = 'not_computable' then s.missing end) end as missing,
       case when s.decision = 'hit' then 1 else 0 end as measure,
       1                                        as threshold,
       case when s.same_address = 1 then 'high' else 'medium' end as severity,
       c.value                                  as amount,
       c.signed_on                              as as_of,
       c.buyer_id, c.buyer_name, c.supplier_id, c.supplier_name,
       c.id                                     as contract_ids,
       2                                        as rows_read,
       c.signed_on as ev_signed_on, s.opened_on as ev_opened_on, s.sanction_id as ev_sanction_id, s.old_id as ev_old_id, s.old_name as ev_old_name,
       s.register as ev_register, s.kind_as_stated as ev_kind_as_stated, s.body as ev_body, s.starts_on as ev_starts_on, s.ends_on as ev_ends_on,
       s.opened_on - s.starts_on as ev_days,
       case when s.same_address = 1 and s.same_activity = 1 then 'endereço e atividade principal' when s.same_address = 1 then 'endereço' else 'atividade principal' end as ev_same,
       case when s.same_address = 1 and s.same_activity = 1 then 'address and main activity' when s.same_address = 1 then 'address' else 'main activity' end as ev_same_en,
       case when s.same_address = 1 then x.companies end as ev_at_address,
       case when s.same_address = 1 then 'No endereço em comum há só ' || x.companies || ' empresas do cadastro.' else 'O sinal não depende do endereço.' end as ev_address,
       case when s.same_address = 1 then 'Only ' || x.companies || ' companies of the register are at the common address.' else 'The flag does not rest on the address.' end as ev_address_en,
       case when s.same_address = 1 and x.companies >= 10 then 'likely' when s.same_address = 1 and x.companies > 2 then 'possible' else 'ruled_out' end as ex_virtual_office,
       case when s.partner_kind = 'company' then 'ruled_out' else 'possible' end as ex_namesake,
       case when s.same_address = 1 then 'ruled_out' else 'possible' end as ex_common_activity
from   spending c
join held h on true
left join opened o on o.root = c.supplier_root
left join (select c.id, case when h.sanctions = 0          then 'sanctions'
                             when c.supplier_id is null    then 'contracts.supplier_id'
                             when c.signed_on is null      then 'contracts.signed_on'
                             when h.registrations = 0 or o.root is null then 'registrations'
                             when o.opened_on is null      then 'registrations.opened_on'
                             when h.partners = 0           then 'partners'
                             when c.signed_on > h.listed_until then 'sanctions.listed_on' end as missing
           from   spending c join held h on true left join opened o on o.root = c.supplier_root) m on m.id = c.id
left join ranked s on s.contract_id = c.id and s.place = 1
-- How many companies are at an address: many at one make it a virtual office.
left join (select address_key, count(distinct cnpj_root) as companies from registrations
           where scope = 'establishment' and address_key in (select shared_address from ranked) group by address_key) x on x.address_key = s.shared_address
