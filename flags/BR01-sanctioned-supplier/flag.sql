-- One row per contract judged: was a sanction that bars contracting in force at signature, and does it reach the buyer?
--
-- How near a sanction is to a buyer is a range: 0 the sanctioning body itself, 1 its sphere and power, 2 its sphere,
-- 3 anyone. What is not known widens the range. The scope of a sanction is a range too (the narrowest and the widest
-- of what the register states and what the law says). A hit needs the worst case within the narrowest scope; clear needs
-- the best case beyond the widest.
with bodies as (
    select id, name, sphere, state,
           trim(regexp_replace(lower(strip_accents(name)), '[^a-z0-9]+', ' ', 'g'))                        as name_key,
           trim(regexp_replace(lower(strip_accents(coalesce(parent_name, ''))), '[^a-z0-9]+', ' ', 'g'))   as parent_key,
           trim(regexp_replace(lower(strip_accents(coalesce(superior_name, ''))), '[^a-z0-9]+', ' ', 'g')) as superior_key,
           trim(regexp_replace(lower(strip_accents(coalesce(municipality, ''))), '[^a-z0-9]+', ' ', 'g'))  as city_key
    from   buyers
),
held as (
    select max(listed_on) as listed_until, count(*) as n from sanctions
),
spending as (
    select c.id, c.source, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, c.supplier_id, c.supplier_name,
           c.supplier_root, c.signed_on, c.regime, coalesce(c.value_initial, c.value_final) as value,
           coalesce(c.supplier_root, c.supplier_id, '?') as group_key,
           t.result_on as tender_result_on, t.published_on as tender_published_on,
           b.sphere, b.state, b.name_key, b.parent_key, b.superior_key, b.city_key
    from   contracts c left join bodies b on b.id = c.buyer_id left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and in_scope(coalesce(c.supplier_root, c.supplier_id, '?'))
),
-- The last day of which the list that holds a sanction speaks.
lists as (
    select file_id, max(listed_on) as listed_until from sanctions group by file_id
),
days_of_lists as (
    select distinct listed_until from lists where listed_until is not null
),
-- A list drops sanctions that ended: of a signature it knows where it was made on that day or not long after, or where it
-- names the supplier all the same.
looked_up as (
    select c.id as contract_id,
           exists (select 1 from days_of_lists d
                   where d.listed_until between c.signed_on and c.signed_on + cast($list_reach_days as integer)) as by_a_list,
           c.group_key in (select coalesce(supplier_root, supplier_id) from sanctions
                           where coalesce(supplier_root, supplier_id) is not null) as by_name
    from   spending c
),
barring as (
    select s.*, coalesce(s.supplier_root, s.supplier_id) as k, l.listed_until,
           (s.ends_on is null and (s.kind = 'inidoneidade' or lower(coalesce(s.kind_as_stated, '')) like '%sem prazo%')) as open_ended
    from   sanctions s join lists l on l.file_id = s.file_id
    -- Of a kind that is not known it is not known whether it bars.
    where  s.bars_contracting is distinct from false
),
-- Sanctions that touch the signature date, or might.
near_in_time as (
    select c.id as contract_id, c.signed_on, c.sphere, c.state, c.name_key, c.parent_key, c.superior_key, c.city_key, s.*,
           case when s.starts_on is null then 'sanctions.starts_on'
                when s.ends_on is null and not s.open_ended then 'sanctions.ends_on'
                -- Without an end, a sanction is known to last only as long as its list speaks of it.
                when s.ends_on is null and c.signed_on > s.listed_until then 'sanctions.listed_on' end as undated
    from   spending c join barring s on s.k = c.group_key
    where  c.signed_on is not null
    and    (s.starts_on is null or s.starts_on <= c.signed_on)
    and    (s.ends_on is null or c.signed_on <= s.ends_on)
),
related as (
    select n.*,
           case
               when coalesce(body_key, '') = ''                                        then 0
               when body_key in (name_key, parent_key, superior_key)                   then 0
               when (name_key <> '' and (contains(name_key, body_key) or contains(body_key, name_key)))
                 or (parent_key <> '' and (contains(parent_key, body_key) or contains(body_key, parent_key))) then 0
               when body_sphere is null or sphere is null                              then 1
               when body_sphere <> sphere and not (body_sphere in ('D', 'E') and sphere in ('D', 'E')) then 3
               when sphere = 'F'                                                       then 1
               when body_state is null or state is null                                then 1
               when body_state <> state                                                then 3
               when sphere = 'M' and city_key <> '' and (contains(body_key, 'prefeitura') or contains(body_key, 'municip'))
                    and not contains(body_key, city_key)                               then 3
               else 1
           end as nearest,
           case
               when coalesce(body_key, '') = ''                                        then 3
               when body_key in (name_key, parent_key, superior_key)                   then 0
               when body_sphere is null or sphere is null                              then 3
               when body_sphere <> sphere and not (body_sphere in ('D', 'E') and sphere in ('D', 'E')) then 3
               when sphere = 'F'                                                       then 2
               when body_state is null or state is null or body_state <> state         then 3
               when sphere in ('E', 'D')                                               then 2
               when city_key <> '' and contains(body_key, city_key)                    then 2
               else 3
           end as farthest
    from   near_in_time n
),
decided as (
    select *,
           case when nearest > scope_max                              then 'clear'
                when bars_contracting is null                         then 'not_computable'
                when undated is not null                              then 'not_computable'
                when farthest <= scope_min                            then 'hit'
                else 'not_computable' end as decision,
           case when bars_contracting is null                         then 'sanctions.kind'
                when undated is not null                              then undated
                when scope_min < scope_max and farthest <= scope_max  then 'sanctions.scope'
                when sphere is null                                   then 'buyers.sphere'
                when body_sphere is null                              then 'sanctions.body_sphere'
                when sphere <> 'F' and body_state is null             then 'sanctions.body_state'
                when sphere <> 'F' and state is null                  then 'buyers.state'
                else 'sanctions.scope' end as missing
    from   related
),
-- What the sanction's own legal basis names; without one, the laws of its day.
founded as (
    select *, ' ' || trim(regexp_replace(lower(strip_accents(replace(coalesce(legal_basis, ''), '.', ''))), '[^a-z0-9]+', ' ', 'g')) || ' ' as basis
    from   decided
),
cited as (
    select *,
           case when kind = 'inidoneidade' and starts_on >= date '2021-04-01' and contains(basis, ' 14133 ') then 'Lei 14.133/2021, art. 156, § 5º'
                when kind = 'inidoneidade' and contains(basis, ' 8666 ')                                     then 'Lei 8.666/1993, art. 87, IV'
                when kind = 'impedimento' and contains(basis, ' 10520 ')                                     then 'Lei 10.520/2002, art. 7º'
                when kind = 'impedimento' and starts_on >= date '2021-04-01' and contains(basis, ' 14133 ')  then 'Lei 14.133/2021, art. 156, § 4º'
                when kind in ('impedimento', 'suspensao') and contains(basis, ' 8666 ')                      then 'Lei 8.666/1993, art. 87, III'
                when trim(basis) <> ''                                                                       then 'conforme o fundamento do registro'
                when kind = 'inidoneidade' and starts_on < date '2021-04-01'                                 then 'Lei 8.666/1993, art. 87, IV'
                when kind = 'inidoneidade'  then 'Lei 14.133/2021, art. 156, § 5º, ou Lei 8.666/1993, art. 87, IV (o registro não diz qual)'
                when kind = 'impedimento' and starts_on between date '2002-07-18' and date '2021-03-31'      then 'Lei 10.520/2002, art. 7º'
                when kind = 'impedimento' and starts_on >= date '2021-04-01'
                                            then 'Lei 14.133/2021, art. 156, § 4º, ou Lei 10.520/2002, art. 7º (o registro não diz qual)'
                when kind = 'suspensao'     then 'Lei 8.666/1993, art. 87, III'
                else 'conforme o fundamento do registro' end as article
    from   founded
),
ranked as (
    select *,
           row_number() over (partition by contract_id
               order by case decision when 'hit' then 0 when 'not_computable' then 1 else 2 end,
                        scope_min desc, starts_on, id) as place,
           count(case when decision = 'hit' then 1 end) over (partition by contract_id) as hits
    from   cited
)
select c.id                                     as subject_id,
       c.group_key,
       c.source,
       case when held.n = 0                     then 'not_computable'
            when c.supplier_id is null          then 'not_computable'
            when c.signed_on is null            then 'not_computable'
            when s.decision = 'hit'             then 'hit'
            when s.decision = 'not_computable'  then 'not_computable'
            when c.signed_on > held.listed_until or not (k.by_a_list or k.by_name) then 'not_computable'
            else 'clear' end                    as outcome,
       case when held.n = 0                     then 'sanctions'
            when c.supplier_id is null          then 'contracts.supplier_id'
            when c.signed_on is null            then 'contracts.signed_on'
            when s.decision = 'hit'             then null
            when s.decision = 'not_computable'  then s.missing
            when c.signed_on > held.listed_until or not (k.by_a_list or k.by_name) then 'sanctions.listed_on'
       end                                      as missing,
       coalesce(s.hits, 0)                      as measure,
       1                                        as threshold,
       case when c.supplier_id like 'cpf:%' then 'high' else 'critical' end as severity,
       c.value                                  as amount,
       c.signed_on                              as as_of,
       c.buyer_id, c.buyer_name, c.supplier_id, c.supplier_name,
       c.id                                     as contract_ids,
       1 + coalesce(s.hits, 0)                  as rows_read,
       c.signed_on                              as ev_signed_on,
       s.id                                     as ev_sanction_id,
       s.supplier_id                            as ev_sanctioned_id,
       s.register                               as ev_register,
       s.kind_as_stated                         as ev_kind_as_stated,
       s.body                                   as ev_body,
       s.starts_on                              as ev_starts_on,
       s.ends_on                                as ev_ends_on,
       coalesce(' (' || strftime(s.ends_on, '%d/%m/%Y') || ')', ', que não tem prazo') as ev_end,
       coalesce(' (' || strftime(s.ends_on, '%Y-%m-%d') || ')', ', which has none') as ev_end_en,
       case when s.open_ended then 'sim' end    as ev_open_ended,
       c.supplier_root                          as ev_root,
       case s.scope_min when 0 then 'órgão sancionador' when 1 then 'esfera e poder do órgão sancionador'
                        when 2 then 'esfera do órgão sancionador' else 'todas as esferas e poderes' end as ev_scope,
       case when s.farthest = 0 then 'é o próprio órgão sancionador'
            when s.farthest <= 2 then 'mesma esfera (' || c.sphere || ')'
            else 'outra esfera ou não informada' end as ev_relation,
       case c.regime when 'lei_14133' then 'Lei 14.133/2021' when 'lei_8666' then 'Lei 8.666/1993'
                     when 'lei_10520' then 'Lei 10.520/2002' when 'lei_13303' then 'Lei 13.303/2016'
                     when 'lei_12462' then 'Lei 12.462/2011'
                     else 'regime da licitação não informado' end as ev_regime_label,
       s.article                                as ev_article,
       case when length(s.legal_basis) > 160 then substr(s.legal_basis, 1, 160) || '…' else s.legal_basis end as ev_act,
       coalesce(c.tender_result_on, c.tender_published_on) as ev_tender_on,
       case when c.tender_result_on < s.starts_on then 'possible'
            when coalesce(c.tender_result_on, c.tender_published_on) >= s.starts_on then 'ruled_out' end as ex_earlier_tender,
       case when c.supplier_id like 'cpf:%' then 'possible' when c.supplier_id like 'cnpj:%' then 'ruled_out' end as ex_homonym,
       case when s.supplier_id = c.supplier_id then 'ruled_out' else 'possible' end as ex_other_establishment
from   spending c
join held on true
join looked_up k on k.contract_id = c.id
left join ranked s on s.contract_id = c.id and s.place = 1
