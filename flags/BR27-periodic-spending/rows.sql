-- What the unit committed or paid, in order.
select 'payments' as tbl, p.id
from   payments p join judged j on j.source = p.source and j.buyer_id = p.buyer_id and j.ev_series = p.kind
where  j.subject_id = $subject and coalesce(p.currency, 'BRL') = 'BRL' and p.issued_on is not null and p.value > 0
order  by p.issued_on, p.id
