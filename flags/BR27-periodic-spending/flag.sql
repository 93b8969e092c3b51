-- One row per unit and series (commitments, payments): does weekly spending beat at a period that is not the calendar's (see
-- `spending_periods`)? The p-values of all units are corrected together.
with spent as (
    select p.source || '|' || p.kind || '|' || p.buyer_id as unit, p.source, p.kind, p.buyer_id, coalesce(p.buyer_name, b.name) as buyer_name, p.issued_on, p.value
    from   payments p left join buyers b on b.id = p.buyer_id
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and p.buyer_id is not null and p.issued_on is not null and in_scope('all')
),
units as (
    select unit, min(source) as source, min(kind) as kind, min(buyer_id) as buyer_id, min(buyer_name) as buyer_name, count(*) as n, count(*) - count(value) as unknown,
           sum(case when value > 0 then value end) as amount, min(issued_on) as first_on, max(issued_on) as last_on
    from   spent group by unit
),
months as (
    select source, kind, date_trunc('month', issued_on) as month from spent group by source, kind, date_trunc('month', issued_on)
),
covered as (
    select u.unit, count(*) as held from units u join months m on m.source = u.source and m.kind = u.kind
           and m.month between date_trunc('month', u.first_on) and u.last_on
    group  by u.unit
),
measured as (
    select u.*, s.weeks, s.active, s.tested, s.g, s.p, s.period,
           case when 20 * u.unknown > u.n                    then 'payments.value'
                when coalesce(s.weeks, 0) < $weeks_min       then 'weeks'
                when s.active < $active_min * s.weeks        then 'weeks.spent'
                when c.held < date_diff('month', u.first_on, u.last_on) + 1 then 'whole_year'
                when s.p is null                             then 'peers.spread' end as missing
    from   units u left join spending_periods s on s.unit = u.unit left join covered c on c.unit = u.unit
),
ranked as (
    select unit, p, row_number() over (order by p, unit) as place, count(*) over () as tests from measured where missing is null
),
corrected as (
    select unit, p, tests, least(1.0, min(p * tests / place) over (order by place desc rows unbounded preceding)) as q from ranked
),
crowd as (
    select peer_key, count(*) as n, median(value) as med from peers group by peer_key
),
deviation as (
    select p.peer_key, median(abs(p.value - c.med)) as mad from peers p join crowd c on c.peer_key = p.peer_key group by p.peer_key
),
lacking as (
    select p.id, p.source, case when p.buyer_id is null then 'payments.buyer_id' else 'payments.issued_on' end as missing
    from   payments p
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and (p.buyer_id is null or p.issued_on is null) and in_scope('all')
)
select m.unit as subject_id, 'all' as group_key, m.source,
       case when m.missing is not null then 'not_computable' when round(c.q, 8) < $p_max then 'hit' else 'clear' end as outcome,
       m.missing,
       round(c.q, 8)                             as measure,
       $p_max                                    as threshold,
       'low'                                     as severity,
       m.amount, m.last_on                       as as_of, m.buyer_id, m.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       cast(null as varchar) as contract_ids, m.n as rows_read,
       m.kind as peer_key, w.n as peer_n, round(w.med, 6) as peer_median, round(d.mad, 6) as peer_mad, m.g as peer_marked,
       m.kind as ev_series, m.weeks as ev_weeks, m.active as ev_active, m.tested as ev_tested, m.g as ev_g, m.period as ev_period, m.p as ev_p, c.tests as ev_tests,
       m.first_on as ev_first_on,
       case m.kind when 'commitment' then 'os empenhos' else 'os pagamentos' end as ev_what,
       case m.kind when 'commitment' then 'commitments' else 'payments' end as ev_what_en
from   measured m
left join corrected c on c.unit = m.unit
left join crowd w on w.peer_key = m.kind
left join deviation d on d.peer_key = m.kind
union all by name
select id as subject_id, 'all' as group_key, source, 'not_computable' as outcome, missing from lacking
