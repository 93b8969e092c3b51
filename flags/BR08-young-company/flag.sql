-- One row per contract with a company: how old was it at signature?
--
-- The company began on the earliest day among its establishments: a head office may have moved. Unless the head office is
-- known, an earlier day may be missing.
with companies as (
    select cnpj_root, min(opened_on) as opened_on, bool_or(coalesce(head_office, false) and opened_on is not null) as head_known
    from   registrations where scope = 'establishment' and in_scope(cnpj_root) group by cnpj_root
),
-- The legal nature of the company: 215-1 is a consortium of companies.
natures as (
    select cnpj_root, max(legal_nature) as legal_nature from registrations where scope = 'company' and in_scope(cnpj_root) group by cnpj_root
),
crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
spending as (
    select c.*, coalesce(c.value_initial, c.value_final) as value, coalesce(b.name, c.buyer_name) as body, r.opened_on, r.head_known,
           date_diff('day', r.opened_on, c.signed_on) as age,
           case when c.supplier_id is null                       then 'contracts.supplier_id'
                when c.signed_on is null                         then 'contracts.signed_on'
                when r.cnpj_root is null                         then 'registrations'
                when r.opened_on is null                         then 'registrations.opened_on'
                -- A signature before the beginning: one of the two days is wrong.
                when r.opened_on > c.signed_on                   then 'registrations.opened_on'
                when not r.head_known and date_diff('day', r.opened_on, c.signed_on) < $days_min then 'registrations.opened_on' end as missing
    from   contracts c
    left join companies r on r.cnpj_root = c.supplier_root
    left join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.supplier_id is null or c.supplier_root is not null)
    and    in_scope(coalesce(c.supplier_root, '?'))
)
select s.id as subject_id, coalesce(s.supplier_root, '?') as group_key, s.source,
       case when s.missing is not null then 'not_computable' when s.age < $days_min then 'hit' else 'clear' end as outcome,
       s.missing,
       case when s.missing is null then s.age end as measure,
       $days_min                                 as threshold,
       case when s.head_known and s.opened_on <= s.signed_on then s.age end as tip_days_min,
       case when s.age < $grave_days_min then 'high' else 'medium' end as severity,
       s.value                                   as amount,
       s.signed_on                               as as_of,
       s.buyer_id, s.body as buyer_name, s.supplier_id, s.supplier_name, s.id as contract_ids, 2 as rows_read,
       s.supplier_root as peer_key, c.n as peer_n, c.med as peer_median, d.mad as peer_mad, s.age as peer_marked,
       s.opened_on                               as ev_opened_on,
       case when replace(k.legal_nature, '-', '') = '2151' then 'likely'
            when regexp_matches(lower(strip_accents(s.supplier_name)), 'consorcio|proposito especifico|(^| )spe( |$)') then 'possible' end as ex_purpose_company,
       case when s.value < $small_max then 'possible' when s.value >= $small_max then 'ruled_out' end as ex_small_value,
       'ruled_out'                               as ex_branch
from   spending s
left join crowd c on c.peer_key = s.supplier_root
left join deviation d on d.peer_key = s.supplier_root
left join natures k on k.cnpj_root = s.supplier_root
