-- One row per tender of Lei 14.133: were there fewer business days for proposals than art. 55 asks for?
--
-- What is bought decides the minimum. Where it is not known, the tender may be of several kinds: a hit needs fewer days
-- than the least of their minima, clear needs the greatest. Unknown local holidays could only lower our count.
with bought as (
    select tender_id, count(*) as items, count(category) as stated,
           count(case when lower(strip_accents(category)) in ('m', 'material', 'bem', 'bens') then 1 end) as goods,
           count(case when lower(strip_accents(category)) in ('s', 'servico', 'servicos') then 1 end) as services
    from   items where tender_id is not null and in_scope(tender_id) group by tender_id
),
notices as (
    select t.id, t.source, t.number, t.modality, t.modality_as_stated, t.regime, t.published_on, t.closes_on, t.buyer_id, coalesce(b.name, t.buyer_name) as buyer_name,
           coalesce(t.value_estimated, t.value_awarded) as amount, lower(strip_accents(t.criterion)) as criterion,
           i.items > 0 and i.items = i.goods as all_goods, i.items > 0 and i.items = i.services as all_services,
           -- Whether the body may be the Ministry of Health: its superior body says so, or is not known.
           case when b.superior_code = '36000' then true
                when b.superior_code is not null or b.sphere in ('E', 'M', 'D') then false end as of_health,
           e.ordinal - s.ordinal as days
    from   tenders t
    left join bought i on i.tender_id = t.id
    left join buyers b on b.id = t.buyer_id
    left join business_days s on s.on_day = t.published_on
    left join business_days e on e.on_day = t.closes_on
    where  (t.modality is null or t.modality in ('pregao', 'concorrencia', 'leilao', 'concurso'))
    and    (t.regime is null or t.regime = 'lei_14133') and coalesce(t.currency, 'BRL') = 'BRL' and in_scope(t.id)
),
-- The kinds of art. 55 that a tender may be of.
kinds as (
    select n.id, w.days, w.days_sus, w.article, w.act, w.from_on, w.until_on
    from   notices n
    join   proposal_windows w on w.regime = n.regime and n.published_on between w.from_on and w.until_on
    where  case when n.modality = 'leilao'   then w.kind = 'highest_bid'
                when n.modality = 'concurso' then w.kind = 'technique'
                when n.modality = 'pregao'   then w.kind in ('goods_lowest_price', 'common_services')
                     and not (n.all_goods is true and w.kind = 'common_services') and not (n.all_services is true and w.kind = 'goods_lowest_price')
                when n.criterion is null     then w.kind <> 'highest_bid'
                when regexp_matches(n.criterion, 'tecnica|conteudo artistico') then w.kind = 'technique'
                when regexp_matches(n.criterion, 'menor preco|maior desconto') then w.kind in ('goods_lowest_price', 'common_services', 'special_services', 'integrated_contracting', 'semi_integrated_or_other')
                     and not (n.all_goods is true and w.kind <> 'goods_lowest_price') and not (n.all_services is true and w.kind = 'goods_lowest_price')
                else w.kind <> 'highest_bid' end
),
bounds as (
    select id, min(days) as least, max(days) as greatest, min(days_sus) as least_sus, arg_min(article, cast(1000 + days as varchar) || article) as article, arg_min(act, cast(1000 + days as varchar) || article) as act,
           min(from_on) as law_from, min(until_on) as law_to
    from   kinds group by id
),
judged_days as not materialized (
    select n.*, k.article, k.act, k.law_from, k.law_to, case when n.of_health is distinct from false then k.least_sus else k.least end as least, k.greatest,
           case when n.regime is null                        then 'tenders.regime'
                when n.modality is null                      then 'tenders.modality'
                when n.published_on is null                  then 'tenders.published_on'
                when n.closes_on is null                     then 'tenders.closes_on'
                -- Published after the proposals were in: the notice was public elsewhere before.
                when n.closes_on < n.published_on            then 'tenders.published_on'
                when n.days is null or k.least is null       then 'law.proposal_windows'
                when n.days >= k.greatest                    then null
                when n.days < case when n.of_health is distinct from false then k.least_sus else k.least end then null
                when n.days < k.least                        then 'buyers.superior_code'
                when n.modality = 'pregao' or n.criterion is not null then 'items.category'
                else 'tenders.criterion' end as missing
    from   notices n left join bounds k on k.id = n.id
),
-- Told of the hits alone.
signed as (
    select tender_id, string_agg(id, chr(31) order by id) as contract_ids
    from   contracts where tender_id in (select id from judged_days where missing is null and days < least) group by tender_id
)
select j.id as subject_id, j.id as group_key, j.source,
       case when j.missing is not null then 'not_computable' when j.days < j.least then 'hit' else 'clear' end as outcome,
       j.missing,
       case when j.missing is null then j.days end as measure,
       case when j.days < j.least then j.least else j.greatest end as threshold,
       'high'                                    as severity,
       j.amount,
       j.published_on                            as as_of,
       j.buyer_id, j.buyer_name, cast(null as varchar) as supplier_id, cast(null as varchar) as supplier_name,
       g.contract_ids,
       1                                         as rows_read,
       j.number as ev_number, coalesce(j.modality_as_stated, j.modality) as ev_modality, j.published_on as ev_published_on, j.closes_on as ev_closes_on,
       j.article as ev_article, j.act as ev_act, j.law_from as ev_law_from, nullif(j.law_to, date '9999-12-31') as ev_law_to, j.least as ev_law_limit,
       'ruled_out' as ex_local_holidays, 'ruled_out' as ex_health_ministry
from   judged_days j
left join signed g on g.tender_id = j.id
