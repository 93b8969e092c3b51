-- The contracts of the buyer and year in this source, dearest first.
select 'contracts' as tbl, c.id
from   contracts c join judged j on j.buyer_id = c.buyer_id and j.source = c.source and j.ev_year = year(c.signed_on)
where  j.subject_id = $subject and not c.income and c.currency = 'BRL' and coalesce(c.value_initial, c.value_final) > 0
order  by coalesce(c.value_initial, c.value_final) desc, c.id
