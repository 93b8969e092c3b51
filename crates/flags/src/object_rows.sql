-- Contracts by inexigibilidade that can be compared, in the order in which they are clustered.
select c.source || '|' || c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id) as pair, c.id, c.object, c.signed_on
from   contracts c left join tenders t on t.id = c.tender_id
where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(c.modality, t.modality) = 'inexigibilidade'
and    c.object is not null and c.signed_on is not null and c.buyer_id is not null and c.supplier_id is not null
and    in_scope(c.buyer_id || '|' || coalesce(c.supplier_root, c.supplier_id))
order  by pair, c.signed_on, c.id
