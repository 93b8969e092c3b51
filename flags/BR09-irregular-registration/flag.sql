-- One row per contract with a company: was its establishment's registration already bad at signature?
--
-- The register holds the present status and the day from which it holds, nothing of what came before. A bad status from
-- before the signature was in force at it. An active one that began after the signature says nothing of that day.
with establishments as (
    select cnpj, cnpj_root, status, status_as_stated, status_on, status_reason, id,
           row_number() over (partition by cnpj order by updated_at desc nulls last, id) as place
    from   registrations where scope = 'establishment' and cnpj is not null and in_scope(cnpj_root)
),
active as (
    select cnpj_root, count(*) as n from establishments where status = 'active' group by cnpj_root
),
spending as (
    select c.*, coalesce(c.value_initial, c.value_final) as value, coalesce(b.name, c.buyer_name) as body,
           e.status as held_status, e.status_on, e.status_reason, a.n as others_active,
           case when c.supplier_id is null                                    then 'contracts.supplier_id'
                when c.signed_on is null                                      then 'contracts.signed_on'
                when e.cnpj is null                                           then 'registrations'
                when e.status is null                                         then 'registrations.status'
                when e.status_on is null                                      then 'registrations.status_on'
                when e.status = 'active' and e.status_on > c.signed_on        then 'registrations.status_on' end as missing
    from   contracts c
    left join establishments e on e.cnpj = replace(c.supplier_id, 'cnpj:', '') and e.place = 1
    left join active a on a.cnpj_root = c.supplier_root
    left join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (c.supplier_id is null or c.supplier_root is not null)
    and    in_scope(coalesce(c.supplier_root, '?'))
)
select s.id as subject_id, coalesce(s.supplier_root, '?') as group_key, s.source,
       case when s.missing is not null then 'not_computable'
            when s.held_status <> 'active' and s.status_on < s.signed_on then 'hit' else 'clear' end as outcome,
       s.missing,
       case when s.missing is not null then null when s.held_status <> 'active' and s.status_on < s.signed_on then 1 else 0 end as measure,
       1                                         as threshold,
       case when s.held_status = 'suspended' then 'medium' else 'high' end as severity,
       s.value                                   as amount,
       s.signed_on                               as as_of,
       s.buyer_id, s.body as buyer_name, s.supplier_id, s.supplier_name, s.id as contract_ids, 2 as rows_read,
       case s.held_status when 'closed' then 'baixado' when 'suspended' then 'suspenso' when 'unfit' then 'inapto' when 'null' then 'nulo' else s.held_status end as ev_status,
       s.status_on as ev_status_on, s.status_reason as ev_reason,
       case when s.others_active > 0 then 'possible' else 'ruled_out' end as ex_other_establishment,
       case when s.held_status = 'closed' then 'está baixado por outro motivo (código ' || s.status_reason || ')' else 'não está baixado' end as ev_closing,
       case when s.held_status = 'closed' then 'was closed for another reason (code ' || s.status_reason || ')' else 'is not closed' end as ev_closing_en,
       date_diff('day', s.signed_on, s.published_on) as ev_published_days,
       -- Codes of the register: 02 incorporation, 03 merger, 04 complete division.
       case when s.held_status <> 'closed' then 'ruled_out' when ltrim(s.status_reason, '0') in ('2', '3', '4') then 'likely'
            when s.status_reason is null then 'possible' else 'ruled_out' end as ex_incorporated,
       case when s.published_on > s.signed_on + 90 then 'possible' end as ex_late_entry
from   spending s
