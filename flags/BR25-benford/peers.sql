-- The amounts of each unit in each series (contracts signed, commitments, payments), how far their leading digits lie from
-- Benford's law, and how far they would by chance; and, as what is compared, each digit's share less that of the law.
--
-- Digits are read from the amount as written, from ten reais on. `mad_…` is the mean absolute deviation of the shares from
-- log10(1 + 1/d); `chance_…` is what a sample of that size that follows the law exceeds about once in a thousand times:
-- mean and spread of the sum of half-normal deviations.
with stated as (
    select 'contracts' as series, c.id, c.source, c.buyer_id, coalesce(b.name, c.buyer_name) as buyer_name, c.signed_on as on_day,
           coalesce(c.value_initial, c.value_final) as value, coalesce(c.modality, t.modality) as modality
    from   contracts c left join tenders t on t.id = c.tender_id left join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and in_scope(c.source || '|contracts|' || c.buyer_id)
    union all
    select p.kind, p.id, p.source, p.buyer_id, coalesce(b.name, p.buyer_name), p.issued_on, p.value,
           coalesce(c.modality, t.modality, case when lower(strip_accents(p.modality_as_stated)) like '%dispensa%' then 'dispensa'
                                                 when lower(strip_accents(p.modality_as_stated)) like '%convite%' then 'convite'
                                                 when regexp_matches(p.modality_as_stated, '[A-Za-z]') then 'other' end)
    from   payments p left join contracts c on c.id = p.contract_id left join tenders t on t.id = p.tender_id left join buyers b on b.id = p.buyer_id
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and in_scope(p.source || '|' || p.kind || '|' || p.buyer_id)
),
amounts as (
    -- What the law caps has not all digits open to it: waivers and invitations stay out. A payment is a part of what was contracted.
    select source || '|' || series || '|' || buyer_id as unit, *,
           cast(substr(ltrim(replace(cast(value as varchar), '.', ''), '0'), 1, 2) as integer) as digits
    from   stated where buyer_id is not null and value >= 10 and (modality is null or modality not in ('dispensa', 'convite'))
),
units as (
    select unit, min(source) as source, min(series) as series, min(buyer_id) as buyer_id, min(buyer_name) as buyer_name, count(*) as n,
           count(case when modality is null and series <> 'payment' then 1 end) as unknown, max(on_day) as as_of, count(distinct value) as amounts,
           cast(quantile_cont(cast(value as double), 0.99) / quantile_cont(cast(value as double), 0.01) as double) as reach,
           count(case when value % 100 = 0 then 1 end) as hundreds
    from   amounts group by unit
),
repeated as (
    select unit, max(n) as most from (select unit, value, count(*) as n from amounts group by unit, value) as v group by unit
),
law as (
    select d, d // 10 as one, d % 10 as two, log10(1 + 1.0 / d) as share from (select unnest(generate_series(10, 99)) as d) as numbers
),
counted as (
    select u.unit, l.d, l.one, l.two, l.share, u.n, coalesce(a.k, 0) as k, coalesce(a.v, 0) as v
    from   units u join law l on true left join (select unit, digits, count(*) as k, sum(value) as v from amounts group by unit, digits) as a on a.unit = u.unit and a.digits = l.d
    where  u.n >= $first_min
),
deviations as (
    select unit, 'two' as test, d as digit, cast(k as double) / n as seen, share, n, k, v from counted
    union all
    select unit, 'first', one, cast(sum(k) as double) / min(n), sum(share), min(n), sum(k), sum(v) from counted group by unit, one
    union all
    select unit, 'second', two, cast(sum(k) as double) / min(n), sum(share), min(n), sum(k), sum(v) from counted group by unit, two
),
placed as (
    -- The digit that stands out most comes first; of two alike, the smaller.
    select *, round(seen - share, 6) as gap, row_number() over (partition by unit, test order by round(seen - share, 9) desc, digit) as place from deviations
),
spread as (
    select unit, test, round(avg(abs(seen - share)), 6) as mad, avg(sqrt(2 * share * (1 - share) / (pi() * n))) as usual,
           sqrt((1 - 2 / pi()) * sum(share * (1 - share)) / min(n)) / count(*) as deviation,
           max(case when place = 1 then digit end) as digit, max(case when place = 1 then gap end) as digit_gap, max(case when place = 1 then k end) as digit_n,
           max(case when place = 1 then share end) as digit_share, max(case when place = 1 then v end) as digit_amount
    from   placed group by unit, test
),
tests as (
    select *, round(usual + $chance_z * deviation, 6) as chance, (mad - usual) / deviation as deviations from spread
),
measured as (
    select u.*, r.most, f.mad as mad_first, f.chance as chance_first, s.mad as mad_second, s.chance as chance_second, w.mad as mad_two, w.chance as chance_two,
           f.deviations as deviations_first, s.deviations as deviations_second, w.deviations as deviations_two,
           case when u.n >= $two_min then 'two'
                when f.mad > greatest($first_mad, f.chance) or not s.mad > greatest($second_mad, s.chance) then 'first'
                when u.n >= $first_min then 'second' end as test
    from   units u join repeated r on r.unit = u.unit
    left join tests f on f.unit = u.unit and f.test = 'first'
    left join tests s on s.unit = u.unit and s.test = 'second'
    left join tests w on w.unit = u.unit and w.test = 'two'
),
judged as (
    select *, case when 20 * unknown > n           then case series when 'contracts' then 'contracts.modality' else 'payments.modality_as_stated' end
                   when n < $first_min             then 'values'
                   when reach < $reach_min         then 'values.range'
                   when most > $repeated_max * n or amounts < $distinct_min * n then 'values.distinct' end as missing
    from   measured
),
decided as (
    select j.*, t.mad, t.chance, t.digit, t.digit_n, t.digit_gap, round(t.digit_share, 6) as digit_share, t.digit_amount,
           case j.test when 'two' then $two_mad when 'first' then $first_mad else $second_mad end as customary
    from   judged j left join tests t on t.unit = j.unit and t.test = j.test
)
select cast(null as varchar) as peer_key, cast(null as double) as value, d.* from decided d
union all by name
select d.unit as peer_key, p.gap as value from decided d join placed p on p.unit = d.unit and p.test = d.test where d.missing is null
