-- Tenders in a competitive modality whose number of participants is known: stated, or counted in sources that publish all.
with named as (
    select tender_id, coalesce(bidder_root, bidder_id, bidder_name) as bidder, min(bidder_id) as bidder_id, min(bidder_name) as bidder_name
    from   bids
    -- These publish every participant; the others publish winners, or do not say.
    where  source in ('portal-licitacoes', 'portal-api', 'licitacon-rs') and coalesce(bidder_root, bidder_id, bidder_name) is not null
    group  by tender_id, coalesce(bidder_root, bidder_id, bidder_name)
),
listed as (
    select tender_id, count(*) as bidders, min(bidder_id) as bidder_id, min(bidder_name) as bidder_name from named group by tender_id
)
select t.modality || '|' || t.source as peer_key, t.id as row_id, coalesce(t.bidders, l.bidders) as value,
       case when t.bidders is not null then 'stated' else 'listed' end as basis, l.bidder_id, l.bidder_name, l.bidders as listed
from   tenders t left join listed l on l.tender_id = t.id
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo')
and    coalesce(t.bidders, l.bidders) is not null and in_scope(t.modality || '|' || t.source)
