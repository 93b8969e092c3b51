-- One row per buyer, supplier and kind of object contracted by inexigibilidade. Contracts that cannot be placed are counted
-- one by one.
with crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
-- What was contracted, each number once, at its greatest value.
worth as (
    select cluster, sum(value) as amount
    from   (select p.cluster, coalesce(n.number_key, c.id) as number_key, max(coalesce(c.value_initial, c.value_final)) as value
            from   peers p join object_clusters k on k.cluster = p.cluster
            join   contracts c on c.id = k.id and c.signed_on between p.from_on and p.until_on
            left join contract_numbers n on n.id = c.id
            group  by p.cluster, coalesce(n.number_key, c.id)) as numbered
    group  by cluster
),
members as (
    select p.cluster, count(*) as n, min(c.buyer_id) as buyer_id, min(c.buyer_name) as buyer_name,
           min(c.supplier_id) as supplier_id, arg_max(c.supplier_name, cast(c.signed_on as varchar) || c.id) as supplier_name, arg_max(c.object, cast(c.signed_on as varchar) || c.id) as object,
           arg_max(coalesce(c.legal_basis, t.legal_basis), cast(c.signed_on as varchar) || c.id) as legal_basis, min(c.activity) as activity,
           count(case when g.ground = 'exclusive' then 1 end) as exclusive, count(g.ground) as grounded,
           count(coalesce(c.value_initial, c.value_final)) as valued, count(distinct coalesce(c.value_initial, c.value_final)) as values_known,
           count(case when regexp_matches(lower(strip_accents(c.object)), '(^|[^a-z])(artis[a-z]+|shows?|(apresentac(ao|oes)|atrac(ao|oes)|espetaculos?) music[a-z]+)([^a-z]|$)') then 1 end) as artistic,
           string_agg(c.id, chr(31) order by c.signed_on, c.id) as contract_ids
    from   peers p
    join   object_clusters k on k.cluster = p.cluster
    join   contracts c on c.id = k.id and c.signed_on between p.from_on and p.until_on
    left join tenders t on t.id = c.tender_id
    left join legal_grounds g on g.legal_basis = coalesce(c.legal_basis, t.legal_basis)
    group  by p.cluster
),
lacking as (
    select c.id, c.source, coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?') as group_key,
           case when coalesce(c.modality, t.modality) is null then 'contracts.modality'
                when c.buyer_id is null    then 'contracts.buyer_id'
                when c.supplier_id is null then 'contracts.supplier_id'
                when c.signed_on is null   then 'contracts.signed_on'
                when c.object is null      then 'contracts.object' end as missing
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(coalesce(c.modality, t.modality), 'inexigibilidade') = 'inexigibilidade'
    and    in_scope(coalesce(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id), '?'))
)
select 'cluster|' || p.cluster                   as subject_id,
       p.peer_key                                as group_key,
       p.source,
       case when p.value >= $days_min then 'hit' else 'clear' end as outcome,
       cast(null as varchar)                     as missing,
       p.value                                   as measure,
       $days_min                            as threshold,
       'low'                                     as severity,
       w.amount,
       p.until_on                                as as_of,
       m.buyer_id, coalesce(b.name, m.buyer_name) as buyer_name, m.supplier_id, m.supplier_name, m.contract_ids, m.n as rows_read,
       p.peer_key, c.n as peer_n, c.med as peer_median, cast(null as double) as peer_mad, p.value as peer_marked,
       p.from_on as ev_first_on, case when length(m.object) > 120 then substr(m.object, 1, 120) || '…' else m.object end as ev_object,
       m.legal_basis as ev_legal_basis, m.activity as ev_activity,
       m.exclusive as ev_exclusive, m.n as ev_contracts, m.artistic as ev_artistic, case when m.n > p.numbers then m.n end as ev_published,
       p.numbers as ev_numbers, case when p.numbers > p.value then p.numbers end as ev_same_days,
       case when m.exclusive = m.n then 'likely' when m.exclusive > 0 then 'possible' when m.grounded = m.n then 'ruled_out' end as ex_exclusive,
       case when m.values_known = 1 and m.valued = m.n and m.n > 1 then 'likely' when m.values_known < m.valued then 'possible' when m.valued = m.n then 'ruled_out' end as ex_instalments,
       case when m.artistic > 0 then 'possible' end as ex_artists,
       -- A name tells a company of the state's only by its words, among them the city's for one by shares; persons and limited
       -- companies are none.
       case when m.supplier_id like 'cpf:%' or regexp_matches(lower(strip_accents(m.supplier_name)), '[^a-z](ltda|eireli|mei|epp)([^a-z]|$)') then 'ruled_out'
            when regexp_matches(lower(strip_accents(m.supplier_name)),
                 '(^|[^a-z])((companhia|cia|empresa) (municipal|metropolitana|estadual|publica|brasileira de|de (engenharia de trafego|desenvolvimento|saneamento|abastecimento|processamento|tecnologia da informacao|habitacao|limpeza urbana|transporte))|sociedade de economia mista|autarquia|fundacao (municipal|estadual|publica)|instituto (municipal|estadual))')
            or (b.municipality is not null and starts_with(lower(strip_accents(m.supplier_name)), lower(strip_accents(b.municipality)) || ' ')
                and regexp_matches(lower(m.supplier_name), '[^a-z]s[ ./]*a[ .]*$'))
            then 'possible' end as ex_own_company,
       case when m.activity in ('agua_esgoto', 'energia', 'correios', 'publicacao_oficial', 'telecomunicacoes', 'bancarios') then 'possible' end as ex_continued_service
from   peers p
join   crowd c on c.peer_key = p.peer_key
left join members m on m.cluster = p.cluster
left join worth w on w.cluster = p.cluster
left join buyers b on b.id = m.buyer_id
union all by name
select id as subject_id, group_key, source, 'not_computable' as outcome, missing from lacking where missing is not null
