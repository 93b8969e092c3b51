-- What each unit committed or paid in each week that has any, in order.
select p.source || '|' || p.kind || '|' || p.buyer_id as unit, date_diff('week', date '2000-01-03', p.issued_on) as week, sum(p.value) as spent
from   payments p
where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL' and p.buyer_id is not null and p.issued_on is not null
and    p.value > 0 and in_scope('all')
group  by 1, 2
order  by 1, 2
