-- The unit's amounts, those with the digits that stand out first.
with amounts as (
    select 'contracts' as tbl, c.id, c.source, c.buyer_id, 'contracts' as series, coalesce(c.value_initial, c.value_final) as value, coalesce(c.modality, t.modality) as modality
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL'
    union all
    select 'payments', p.id, p.source, p.buyer_id, p.kind, p.value,
           coalesce(c.modality, t.modality, case when lower(strip_accents(p.modality_as_stated)) like '%dispensa%' then 'dispensa'
                                                 when lower(strip_accents(p.modality_as_stated)) like '%convite%' then 'convite' end)
    from   payments p left join contracts c on c.id = p.contract_id left join tenders t on t.id = p.tender_id
    where  coalesce(p.currency, 'BRL') = 'BRL'
)
select a.tbl, a.id
from   amounts a join judged j on j.source = a.source and j.buyer_id = a.buyer_id and j.ev_series = a.series
where  j.subject_id = $subject and a.value >= 10 and (a.modality is null or a.modality not in ('dispensa', 'convite'))
order  by case when j.ev_test = 'second' then substr(ltrim(replace(cast(a.value as varchar), '.', ''), '0'), 2, 1) = cast(j.ev_digit as varchar)
               else starts_with(ltrim(replace(cast(a.value as varchar), '.', ''), '0'), cast(j.ev_digit as varchar)) end desc, a.id
