-- Every waiver by value with its share of the limit in force, by unit; those that cannot be placed say what is missing.
with purchases as (
    select c.id, 'contracts' as tbl, c.source, c.buyer_id, c.buyer_name, c.signed_on as on_day,
           coalesce(c.value_initial, c.value_final) as amount, coalesce(c.modality, t.modality) as modality,
           coalesce(c.legal_basis, t.legal_basis) as legal_basis,
           case when c.legal_basis is not null then c.regime else t.regime end as regime
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL'
    and    (coalesce(c.value_initial, c.value_final) is null or coalesce(c.value_initial, c.value_final) > 0)
    union all
    select t.id, 'tenders', t.source, t.buyer_id, t.buyer_name, coalesce(t.published_on, t.result_on), t.value_awarded, t.modality, t.legal_basis, t.regime
    from   tenders t
    where  coalesce(t.currency, 'BRL') = 'BRL' and (t.value_awarded is null or t.value_awarded > 0)
    and    t.modality = 'dispensa' and t.id not in (select c.tender_id from contracts c where c.tender_id is not null)
),
grounded as (
    select *, regexp_extract(trim(regexp_replace(lower(strip_accents(coalesce(legal_basis, ''))), '[^a-z0-9]+', ' ', 'g')),
                             '(?:^| )(?:75|24) (?:o )?(?:inc[a-z]* )?([ivxl]+)(?: |$)', 1) as clause
    from   purchases where (modality is null or modality = 'dispensa') and in_scope('all')
),
limited as (
    select g.*, coalesce(b.name, g.buyer_name) as body, l.amount * case when l.doubles and f.form = 'consortium' then 2 else 1 end as limit_amount,
           l.inclusive,
           case when g.modality is null            then g.tbl || '.modality'
                when g.legal_basis is null or g.clause = '' then g.tbl || '.legal_basis'
                when g.regime is null              then g.tbl || '.regime'
                when g.buyer_id is null            then g.tbl || '.buyer_id'
                when g.on_day is null              then case g.tbl when 'contracts' then 'contracts.signed_on' else 'tenders.published_on' end
                when g.amount is null              then case g.tbl when 'contracts' then 'contracts.value' else 'tenders.value_awarded' end
                when f.form = 'state_company'       then 'buyers.form'
                when l.amount is null              then 'law.waiver_limits' end as missing
    from   grounded g
    left join buyers b on b.id = g.buyer_id
    left join buyer_forms f on f.buyer_id = g.buyer_id
    left join waiver_limits l on l.regime = g.regime and l.kind = case g.clause when 'i' then 'works' else 'other' end
                             and g.on_day between l.from_on and l.until_on
    where  g.clause in ('', 'i', 'ii')
)
select case when missing is null then source || '|' || buyer_id end as peer_key, tbl, id, source, buyer_id, body, on_day, amount, limit_amount, missing,
       case when missing is null then cast(amount as double) / cast(limit_amount as double) end as value,
       missing is null and 10 * amount >= 8 * limit_amount and (amount < limit_amount or (inclusive and amount = limit_amount)) as in_window,
       missing is null and 10 * amount >= 9 * limit_amount and (amount < limit_amount or (inclusive and amount = limit_amount)) as in_last_tenth
from   limited
