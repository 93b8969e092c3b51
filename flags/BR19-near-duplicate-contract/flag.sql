-- One row per contract: is there an earlier one of the same buyer and supplier that reads and costs the same?
-- `near_pairs` holds every pair within 1 % and 90 days with its similarity.
with alike as (
    select * from near_pairs where similarity >= $jaccard_min
),
-- A link of 25 to 35 days; a contract between two links, or next to one that is, stands in a row of three.
monthly as (
    select earlier, later from alike where days between 25 and 35
),
between_links as (
    select a.later as id from monthly a join monthly b on b.earlier = a.later
),
in_a_row as (
    select id from between_links
    union select m.earlier from monthly m where m.later in (select id from between_links)
    union select m.later from monthly m where m.earlier in (select id from between_links)
),
duplicates as (
    select *, row_number() over (partition by later order by similarity desc, days, earlier) as place
    from   alike
    -- Two of one row are instalments when a month or more lies between them; nearer ones are not.
    where  not (days >= 25 and earlier in (select id from in_a_row) and later in (select id from in_a_row))
),
-- The most alike earlier contract, with what is said of it.
repeated as (
    select d.later, d.earlier, d.similarity, d.days, e.signed_on as earlier_on, n.number_key as earlier_number, e.tender_id as earlier_tender,
           coalesce(e.value_initial, e.value_final) as earlier_value
    from   duplicates d join contracts e on e.id = d.earlier left join contract_numbers n on n.id = e.id where d.place = 1
),
compared as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
spending as (
    select c.id, c.source, c.buyer_id, c.buyer_name, c.supplier_id, c.supplier_name, c.signed_on,
           c.number, k.number_key, c.tender_id, length(c.object) as object_length, coalesce(c.value_initial, c.value_final) as value,
           coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?') as group_key,
           case when c.buyer_id is null    then 'contracts.buyer_id'
                when c.supplier_id is null then 'contracts.supplier_id'
                when c.signed_on is null   then 'contracts.signed_on'
                when c.object is null      then 'contracts.object'
                when coalesce(c.value_initial, c.value_final) is null then 'contracts.value' end as missing
    from   contracts c left join contract_numbers k on k.id = c.id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) > 0)
    and    in_scope(coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?'))
),
-- How many suppliers of the body have a contract of that very text: of three on it is a formula. Texts are compared within
-- the bodies that repeat something, and no others are made comparable.
candidates as (
    select c.id, c.buyer_id, c.object, coalesce(c.supplier_root, c.supplier_id) as supplier
    from   contracts c where c.buyer_id in (select r.buyer_id from contracts r where r.id in (select later from repeated))
),
comparable as materialized (
    select id, buyer_id, supplier, md5(trim(regexp_replace(lower(strip_accents(object)), '[^a-z0-9]+', ' ', 'g'))) as text from candidates
),
texts as (
    select r.id, count(distinct c.supplier) as suppliers
    from   comparable r join comparable c on c.buyer_id = r.buyer_id and c.text = r.text
    where  r.id in (select later from repeated) group by r.id
)
select s.id                                      as subject_id,
       s.group_key, s.source,
       case when s.missing is not null then 'not_computable' when d.later is not null then 'hit' else 'clear' end as outcome,
       s.missing,
       round(d.similarity, 4)                    as measure,
       $jaccard_min                              as threshold,
       case when s.object_length < 60 or s.number_key = d.earlier_number or x.suppliers >= 3 then 'low' else 'medium' end as severity,
       s.value                                   as amount,
       s.signed_on                               as as_of,
       s.buyer_id, coalesce(b.name, s.buyer_name) as buyer_name, s.supplier_id, s.supplier_name,
       d.earlier || chr(31) || s.id              as contract_ids,
       2                                         as rows_read,
       p.peer_key, p.n as peer_n, round(p.med, 4) as peer_median, cast(null as double) as peer_mad,
       round(d.similarity, 4)                    as peer_marked,
       d.earlier_on                              as ev_earlier_on,
       d.earlier_value                           as ev_earlier_value,
       cast(abs(s.value - d.earlier_value) as double) / cast(d.earlier_value as double) as ev_value_gap,
       d.days                                    as ev_days,
       s.object_length                          as ev_object_length,
       case when d.days between 25 and 35 then 'possible' else 'ruled_out' end as ex_instalments,
       case when s.object_length < 60 then 'possible' end as ex_standard_text,
       s.number as ev_contract_number, coalesce(t.number, s.tender_id) as ev_tender_number,
       case when s.number_key = d.earlier_number and d.days = 0 then 'likely' when d.days = 0 or s.number_key = d.earlier_number then 'possible'
            when s.number_key <> d.earlier_number then 'ruled_out' end as ex_repeated_entry,
       case when s.number_key = d.earlier_number then 'likely' when s.number_key <> d.earlier_number then 'ruled_out' end as ex_same_number,
       x.suppliers as ev_text_suppliers, case when x.suppliers >= 3 then 'likely' else 'ruled_out' end as ex_formula_text,
       case when s.tender_id is null or d.earlier_tender is null then null
            when s.tender_id <> d.earlier_tender then 'ruled_out'
            when t.price_registration then 'likely' else 'possible' end as ex_framework
from   spending s
left join repeated d on d.later = s.id
left join compared p on p.peer_key = s.group_key
left join texts x on x.id = s.id
left join tenders t on t.id = s.tender_id
left join buyers b on b.id = s.buyer_id
