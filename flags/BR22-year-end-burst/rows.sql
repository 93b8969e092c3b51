-- What the unit signed, committed or paid in that year, dearest first.
select tbl, id from (
    select 'contracts' as tbl, c.id, coalesce(c.value_initial, c.value_final) as value
    from   contracts c join judged j on j.source = c.source and j.buyer_id = c.buyer_id and j.ev_year = year(c.signed_on)
    where  j.subject_id = $subject and j.ev_series = 'contracts' and not c.income and coalesce(c.currency, 'BRL') = 'BRL'
    and    coalesce(c.value_initial, c.value_final) > 0
    union all
    select 'payments', p.id, p.value
    from   payments p join judged j on j.source = p.source and j.buyer_id = p.buyer_id and j.ev_year = year(p.issued_on) and j.ev_series = p.kind
    where  j.subject_id = $subject and coalesce(p.currency, 'BRL') = 'BRL' and p.value > 0
) as spent
order by value desc, id
