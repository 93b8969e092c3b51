"""The questions of the catalogue as an analyst would write them by hand in DuckDB: which subjects are hits, and no more.

Each query gives the ids of our outcomes, so the answers can be compared one by one. It asks what `flags/*/flag.sql` asks with
the parameters' defaults, and leaves out what explains: what is missing where, evidence, peers' values, previews, outcomes
other than a hit. BR14, BR15, BR17, BR26 and BR27 are not here: ties weighed over a graph, communities and permutations,
word lists and periodograms are programs rather than queries.
"""

# Waivers by value with the limit in force for each.
WAIVERS = """
purchases as (
    select c.id, c.source, c.buyer_id, c.signed_on as on_day, coalesce(c.value_initial, c.value_final) as value,
           coalesce(c.legal_basis, t.legal_basis) as basis, if(c.legal_basis is not null, c.regime, t.regime) as regime,
           coalesce(c.activity, t.activity) as activity, coalesce(c.tender_id, c.id) as waiver, nullif(t.value_awarded, 0) as award,
           coalesce(c.supplier_root, c.supplier_id) as supplier, coalesce(c.object, t.object) as object
    from   contracts c left join tenders t on t.id = c.tender_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(c.modality, t.modality) = 'dispensa'
    union all
    select id, source, buyer_id, coalesce(published_on, result_on), value_awarded, legal_basis, regime, activity, id, nullif(value_awarded, 0), null, object
    from   tenders t
    where  coalesce(currency, 'BRL') = 'BRL' and modality = 'dispensa'
    and    not exists (select 1 from contracts c where c.tender_id = t.id)
),
grounded as (
    select *, regexp_extract(fold(basis), '(?:^| )(?:75|24) (?:o )?(?:inc[a-z]* )?([ivxl]+)(?: |$)', 1) as clause
    from   purchases where value > 0
),
waivers as (
    select g.*, l.inclusive, l.amount * if(l.doubles and f.form = 'consortium', 2, 1) as most
    from   grounded g
    join   waiver_limits l on l.regime = g.regime and l.kind = if(g.clause = 'i', 'works', 'other') and g.on_day between l.from_on and l.until_on
    left join buyer_forms f on f.buyer_id = g.buyer_id
    where  g.clause in ('i', 'ii') and g.buyer_id is not null and f.form is distinct from 'state_company'
)"""

# Contracts in reais with their value, which most questions read.
SPENDING = """
spending as (
    select *, coalesce(value_initial, value_final) as value from contracts where not income and coalesce(currency, 'BRL') = 'BRL'
)"""

# Benjamini and Hochberg's correction of the p-values in `tested (id, p)`.
CORRECTED = """
ranked as (select *, row_number() over (order by p, id) as place, count(*) over () as tests from tested),
corrected as (select *, least(1.0, min(p * tests / place) over (order by place desc)) as q from ranked)"""

QUERIES = {}

QUERIES["BR01"] = """
with lists as (select file_id, max(listed_on) as until_on from sanctions group by file_id),
bodies as (
    select id, sphere, state, fold(name) as named, fold(parent_name) as parent, fold(superior_name) as superior, fold(municipality) as city from buyers
),
barring as (
    select s.*, coalesce(s.supplier_root, s.supplier_id) as who,
           case when s.ends_on is not null then s.ends_on
                when s.kind = 'inidoneidade' or lower(s.kind_as_stated) like '%sem prazo%' then l.until_on end as last_on
    from   sanctions s join lists l on l.file_id = s.file_id where s.bars_contracting
)
select distinct c.id
from   contracts c
join   barring s on s.who = coalesce(c.supplier_root, c.supplier_id) and c.signed_on between s.starts_on and s.last_on
left join bodies b on b.id = c.buyer_id
where  not c.income
and    s.scope_min >= case
           when coalesce(s.body_key, '') = '' then 3
           when s.body_key in (b.named, b.parent, b.superior) then 0
           when s.body_sphere is null or b.sphere is null then 3
           when s.body_sphere <> b.sphere and not (s.body_sphere in ('D', 'E') and b.sphere in ('D', 'E')) then 3
           when b.sphere = 'F' then 2
           when s.body_state is distinct from b.state or b.state is null then 3
           when b.sphere in ('E', 'D') then 2
           when b.city <> '' and contains(s.body_key, b.city) then 2
           else 3 end
"""

# Words of an object that say how a thing is bought.
HOW = r"\b(ajuste|ambito|anexos?|anua(l|is)|aquisic(ao|oes)|atender|atendimento|avenca|aviso|bens|certame|comu(m|ns)|compras?|condicoes|confecc(ao|oes)|conforme|constitui|consumo|contratac(ao|oes)|contratos?|continuad[ao]s?|corretiv[ao]s?|decorrentes?|demandas?|dest[ae]|destinad[ao]s?|diret[ao]s?|dispensa|divers[ao]s?|edital|elaborac(ao|oes)|eletronic[ao]s?|empresas?|engenharia|entrega|equipamentos?|especializad[ao]s?|eventua(l|is)|execuc(ao|oes)|fins|forma|fornecimentos?|futur[ao]s?|generos?|incluindo|instalac(ao|oes)|instrumento|insumos?|itens|juridicas?|licitac(ao|oes)|locac(ao|oes)|lotes?|mais|manutenc(ao|oes)|materia(l|is)|mediante|necessidades?|objetivando|objetos?|objetivo|obras?|para|parcelad[ao]s?|pela|pelo|pessoas?|precos?|presente|prestac(ao|oes)|preventiv[ao]s?|proc|processo|produtos?|propostas?|realizac(ao|oes)|referente|registro|relativ[ao]s?|selec(ao|oes)|servicos?|sobre|suprir|tecnic[ao]s?|termo|tipos?|unidades?|vantajosas?|vari[ao]s|vistas|visando)\b"

# Every line of activity of the files was read from texts, so those waivers alone are added up that have a supplier or thing in common.
QUERIES["BR02"] = rf"""
with {WAIVERS},
each_once as (
    select concat_ws('|', w.source, w.buyer_id, year(w.on_day), w.activity, w.regime, w.clause) as id, w.waiver, max(w.most) as most,
           bool_or(w.inclusive) as inclusive, least(sum(w.value), coalesce(max(award), sum(w.value))) as value, coalesce(max(award), sum(w.value)) as whole,
           if(count(distinct supplier) = 1, min(supplier), null) as supplier, fold(min(object)) as said
    from   waivers w left join vehicle_repair_limits v on v.regime = w.regime and w.on_day between v.from_on and v.until_on
    where  w.activity is not null
    -- Small repairs of vehicles stay outside; where the limit is not known the purchase is not judged.
    and    (w.activity <> 'manutencao_veicular' or w.regime <> 'lei_14133' or w.value > v.amount)
    group  by all
),
fitting as (select * from each_once where whole < most or (inclusive and whole = most)),
over as (
    select id, max(most) as most, bool_or(inclusive) as inclusive from fitting
    group  by id having sum(value) > max(most) or (not bool_or(inclusive) and sum(value) = max(most))
),
named as (
    select f.*, nullif(regexp_extract(regexp_replace(said, '{HOW}', ' ', 'g'), '\b([a-z]{{3}}[a-z]+?)s?\b', 1), '') as thing,
           regexp_extract(said, '\bcamp(?:us|i) (?:de |da |do |dos |das )?([a-z]+)', 1) as campus
    from   fitting f semi join over o on o.id = f.id
)
select distinct o.id
from   (
    select a.id, sum(b.value) as value
    from   named a join named b on b.id = a.id
    and    (a.waiver = b.waiver or ((a.supplier = b.supplier or a.thing = b.thing) and (a.campus = b.campus or '' in (a.campus, b.campus))))
    group  by a.id, a.waiver having count(*) >= 2
) s join over o on o.id = s.id
where  s.value > o.most or (not o.inclusive and s.value = o.most)
"""

QUERIES["BR03"] = f"""
with {WAIVERS},
units as (
    select source || '|' || buyer_id as id, count(*) as n, count(*) filter (10 * value >= 9 * most) as k
    from   waivers where 10 * value >= 8 * most and (value < most or (inclusive and value = most)) group by 1 having n >= 10
),
tested as (
    select id, sum(exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) - n * ln(2.0))) as p
    from   (select id, n, unnest(generate_series(k, n)) as i from units) group by id
),
{CORRECTED}
select id from corrected where round(q, 8) < 0.01
"""

QUERIES["BR04"] = """
with terms as (
    select contract_id, value, kind, lower(strip_accents(coalesce(nature, '') || ' ' || coalesce(object, ''))) as words
    from   amendments where coalesce(currency, 'BRL') = 'BRL' and kind <> 'termination'
),
spoken as (
    select *, regexp_matches(words, 'pror?rog|renova|vigencia|prazo|periodo') as of_term,
           regexp_matches(words, 'reajust|repactua|reequilib|revisao|revisa|correcao monetaria|atualizac|apostil|inpc|ipca|igpm|igp-m') or kind = 'apostille' as of_price,
           regexp_matches(words, 'acresc|acrescim|quantitativ|supress|suprim|decresc|aument|ampliac|servicos extras|inclusao de') as of_object
    from   terms
),
sums as (
    select contract_id, coalesce(sum(value) filter (of_object and not of_term and not of_price and value > 0), 0) as additions,
           coalesce(sum(value) filter (of_price and not of_object and not of_term and value > 0), 0) as adjustments,
           count(*) filter (of_price and not of_object and not of_term and value is null) as unknown
    from   spoken group by contract_id
),
ruled as (
    select c.id, s.*, c.value_initial, c.signed_on, f.form, coalesce(contains(lower(strip_accents(c.object)), 'reforma'), true) as renovation,
           coalesce(c.regime, t.regime, case when c.legal_basis is null and t.legal_basis is null then
               (select if(count(*) = 1, min(g.regime), null) from general_laws g where g.from_on <= c.signed_on) end) as regime
    from   sums s join contracts c on c.id = s.contract_id left join tenders t on t.id = c.tender_id left join buyer_forms f on f.buyer_id = c.buyer_id
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and c.value_initial > 0 and s.unknown = 0
)
select r.id
from   ruled r
join   amendment_shares a on a.regime = r.regime and r.signed_on between a.from_on and a.until_on
       and a.change = if(r.renovation, 'addition_in_renovation', 'addition')
where  r.form is distinct from 'state_company' and r.additions > a.share * (r.value_initial + r.adjustments)
"""

QUERIES["BR05"] = """
with priced as (
    select i.id, ln(i.unit_price::double) as x, year(c.signed_on) as y, i.catalog_code || '|' || i.unit || '|' || b.state as g
    from   items i join contracts c on c.id = i.contract_id join buyers b on b.id = c.buyer_id
    where  not c.income and coalesce(i.currency, 'BRL') = 'BRL' and i.unit_price > 0 and c.signed_on is not null and g is not null
),
years as (select g, y, if(count(*) >= 10, y, y - 1) as since from priced group by g, y),
crowd as (
    select w.g, w.y, count(*) as n, quantile_cont(p.x, [0.25, 0.5, 0.75]) as q, mad(p.x) as mad
    from   years w join priced p on p.g = w.g and p.y between w.since and w.y group by w.g, w.y
)
select p.id
from   priced p join crowd c on c.g = p.g and c.y = p.y
where  c.n >= 10 and case when c.mad > 0 then round(0.6745 * (p.x - c.q[2]) / c.mad, 4) > 3.5
                          when c.q[3] > c.q[1] then round((p.x - c.q[3]) / (c.q[3] - c.q[1]), 4) > 1.5 end
"""

QUERIES["BR06"] = """
with listed as (
    select tender_id, count(distinct coalesce(bidder_root, bidder_id, bidder_name)) as bidders
    from   bids where source in ('portal-licitacoes', 'portal-api', 'licitacon-rs') group by tender_id
)
select t.id
from   tenders t left join listed l on l.tender_id = t.id
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo')
and    coalesce(t.currency, 'BRL') = 'BRL' and coalesce(t.bidders, l.bidders) = 1
"""

QUERIES["BR07"] = """
with bought as (
    select tender_id, bool_and(lower(strip_accents(coalesce(category, ''))) in ('m', 'material', 'bem', 'bens')) as goods,
           bool_and(lower(strip_accents(coalesce(category, ''))) in ('s', 'servico', 'servicos')) as services
    from   items where tender_id is not null group by tender_id
),
notices as (
    select t.id, t.modality, t.published_on, lower(strip_accents(t.criterion)) as criterion, coalesce(i.goods, false) as goods,
           coalesce(i.services, false) as services, e.ordinal - s.ordinal as days,
           not (b.superior_code is not null and b.superior_code <> '36000' or b.superior_code is null and coalesce(b.sphere in ('E', 'M', 'D'), false)) as health
    from   tenders t
    join   business_days s on s.on_day = t.published_on
    join   business_days e on e.on_day = t.closes_on
    left join bought i on i.tender_id = t.id
    left join buyers b on b.id = t.buyer_id
    where  t.modality in ('pregao', 'concorrencia', 'leilao', 'concurso') and t.regime = 'lei_14133' and coalesce(t.currency, 'BRL') = 'BRL'
    and    t.closes_on >= t.published_on
)
select n.id
from   notices n join proposal_windows w on w.regime = 'lei_14133' and n.published_on between w.from_on and w.until_on
where  case when n.modality = 'leilao'   then w.kind = 'highest_bid'
            when n.modality = 'concurso' then w.kind = 'technique'
            when n.modality = 'pregao'   then w.kind = 'goods_lowest_price' and not n.services or w.kind = 'common_services' and not n.goods
            when n.criterion is null     then w.kind <> 'highest_bid'
            when regexp_matches(n.criterion, 'tecnica|conteudo artistico') then w.kind = 'technique'
            when not regexp_matches(n.criterion, 'menor preco|maior desconto') then w.kind <> 'highest_bid'
            when n.goods then w.kind = 'goods_lowest_price'
            else w.kind in ('common_services', 'special_services', 'integrated_contracting', 'semi_integrated_or_other')
                 or w.kind = 'goods_lowest_price' and not n.services end
group  by n.id having any_value(n.days) < min(if(n.health, w.days_sus, w.days))
"""

QUERIES["BR08"] = f"""
with companies as (
    select cnpj_root, min(opened_on) as opened_on from registrations where scope = 'establishment'
    group  by cnpj_root having bool_or(head_office and opened_on is not null)
),
{SPENDING}
select s.id from spending s join companies r on r.cnpj_root = s.supplier_root where s.signed_on - r.opened_on between 0 and 179
"""

QUERIES["BR09"] = f"""
with {SPENDING},
establishments as (
    select cnpj, status, status_on from registrations where scope = 'establishment' and cnpj is not null
    qualify row_number() over (partition by cnpj order by updated_at desc nulls last, id) = 1
)
select s.id
from   spending s join establishments e on s.supplier_id = 'cnpj:' || e.cnpj
where  s.supplier_root is not null and e.status <> 'active' and e.status_on < s.signed_on
"""

QUERIES["BR10"] = """
select id
from   tenders
where  regime = 'lei_14133' and modality in ('pregao', 'concorrencia', 'concurso', 'dialogo_competitivo') and coalesce(currency, 'BRL') = 'BRL'
and    value_estimated > 0 and value_awarded > 0 and (value_estimated - value_awarded)::double / value_estimated::double <= 0.005
and    not regexp_matches(lower(strip_accents(coalesce(criterion, ''))), 'maior (lance|oferta|retorno|valor)')
-- The body may be paid.
and    not regexp_matches(' ' || fold(coalesce(object, '')) || ' ',
           ' (concess(ao|oes)|permiss(ao|oes)|cess(ao|oes) (onerosas? )?d[eoa] (direito de )?(uso d[eoa] )?(espacos?|areas?|imove(l|is))|alienac(ao|oes)|folhas? de pagamentos?) ')
"""

QUERIES["BR11"] = rf"""
with {SPENDING},
entries as (
    select buyer_id, year(signed_on) as y, activity, coalesce(supplier_root, supplier_id) as supplier, coalesce(tender_id, signed_on || '|' || value) as entry,
           max(if(tender_id is null and regexp_matches(number, '[1-9]'), ltrim(regexp_replace(lower(number), '[^a-z0-9]+', '', 'g'), '0'), null)) as number,
           sum(value) as value, count(*) as n
    from   spending where value > 0 and buyer_id is not null and activity is not null and signed_on is not null group by all
),
awards as (
    select buyer_id, y, activity, supplier, coalesce(number, entry) as award, sum(value) as value, sum(n) as n from entries group by all
),
spent as (
    select buyer_id, y, activity, supplier, sum(value) as value, sum(n) as n, sum(power(value::double, 2)) as squares from awards group by all
),
totals as (
    select buyer_id, y, activity, sum(n) as n, sum(value)::double as total, sum(value) filter (supplier is not null)::double as named,
           sum(power(value::double, 2)) filter (supplier is not null) as by_supplier, sum(squares) filter (supplier is not null) as by_award,
           max(value) filter (supplier is not null)::double as top
    from   spent group by buyer_id, y, activity
)
select buyer_id || '|' || y || '|' || activity as id
from   totals
where  n >= 10 and total - named <= 0.05 * total and round(10000 * by_supplier / power(named, 2), 2) > 2500
and    top > 0.6 * named and round(10000 * by_award / power(named, 2), 2) <= 2500
"""

QUERIES["BR12"] = f"""
with {SPENDING},
totals as (
    select s.source, s.buyer_id, b.sphere, year(s.signed_on) as y, sum(s.value)::double as total,
           round(coalesce(sum(s.value) filter (s.modality in ('dispensa', 'inexigibilidade')), 0)::double / total, 6) as share, floor(log10(total)) as size
    from   spending s join buyers b on b.id = s.buyer_id
    where  b.sphere is not null and s.signed_on is not null and s.value > 0 and s.currency = 'BRL'
    group  by s.source, s.buyer_id, b.sphere, year(s.signed_on)
    having count(*) >= 10 and coalesce(sum(s.value) filter (s.modality is null), 0)::double <= 0.05 * total
),
crowd as (
    select source, sphere, y, size, count(*) as n, quantile_cont(share, [0.25, 0.5, 0.75, 0.95]) as q, mad(share) as mad
    from   totals group by source, sphere, y, size
)
select t.buyer_id || '|' || t.y || '|' || t.source as id
from   totals t join crowd c using (source, sphere, y, size)
where  c.n >= 10 and t.share > c.q[4] and round(t.share - c.q[2], 6) >= 0.25
and    case when c.mad > 0 then round(0.6745 * (t.share - c.q[2]) / c.mad, 4) > 3.5
            when c.q[3] > c.q[1] then round((t.share - c.q[3]) / (c.q[3] - c.q[1]), 4) > 1.5 end
"""

# Ours lets each contract join the first cluster whose first contract reads like it; here it joins the earliest contract that
# reads like it, which is the same unless likeness is a chain.
QUERIES["BR13"] = f"""
with {SPENDING},
bought as (
    select s.id, s.source || '|' || s.buyer_id || '|' || coalesce(s.supplier_root, s.supplier_id) as pair, fold(s.object) as text, s.signed_on,
           coalesce(regexp_replace(nullif(regexp_extract(regexp_replace(lower(strip_accents(s.number)), '[^a-z0-9]+', '', 'g'), '.*[1-9].*'), ''), '^(?:n|no|nr|num|numero)?0*([0-9])', '\\1'), s.id) as number,
           regexp_matches(lower(strip_accents(s.object)), '(^|[^a-z])(artis[a-z]+|shows?|(apresentac(ao|oes)|atrac(ao|oes)|espetaculos?) music[a-z]+)([^a-z]|$)')
           or regexp_matches(lower(strip_accents(coalesce(s.legal_basis, t.legal_basis, ''))), '(^|[^0-9])(74,? *(inc[a-z.]* )?ii|25,? *(inc[a-z.]* )?iii)([^a-z]|$)') as artistic
    from   spending s left join tenders t on t.id = s.tender_id
    where  coalesce(s.modality, t.modality) = 'inexigibilidade' and s.object is not null and s.signed_on is not null and pair is not null
),
texts as (select pair, text, min((signed_on, id)) as first from bought group by pair, text),
several as (select *, shingles(text) as parts from texts where pair in (select pair from texts group by pair having count(*) > 1)),
near as (
    select pair, text, first from texts
    union all
    select a.pair, a.text, b.first from several a join several b on b.pair = a.pair and b.text <> a.text where jaccard(a.parts, b.parts) >= 0.6
),
led as (select pair, text, min(first)[2] as cluster from near group by pair, text),
members as (
    select l.cluster, b.number, min(b.signed_on) as signed_on, bool_and(b.artistic) as artistic from bought b join led l using (pair, text) group by all
)
select distinct 'cluster|' || cluster as id
from   (
    select a.cluster
    from   (select distinct cluster, signed_on from members) a
    join   members b on b.cluster = a.cluster and b.signed_on <= a.signed_on and b.signed_on > a.signed_on - interval 24 months
    where  a.cluster in (select cluster from members where not artistic)
    group  by a.cluster, a.signed_on having count(distinct b.signed_on) >= 3
)
"""

QUERIES["BR16"] = """
with offers as (
    select b.tender_id, coalesce(b.lot, '') || '|' || coalesce(b.item_number, '') as lot, bidder_of(b.bidder_root, b.bidder_id) as bidder,
           t.activity || '|' || u.state as market, bool_or(b.won) as won, count(b.won) > 0 as decided
    from   bids b join tenders t on t.id = b.tender_id join buyers u on u.id = t.buyer_id
    where  coalesce(t.currency, 'BRL') = 'BRL' and coalesce(t.modality, '') not in ('dispensa', 'inexigibilidade', 'credenciamento', 'leilao')
    group  by all having bidder is not null and market is not null
),
known as (
    select * from offers where tender_id in (select tender_id from offers group by tender_id having count(distinct bidder) > 1 and bool_or(won = false))
),
sizes as (select market, bidder, count(distinct tender_id) as n from known group by market, bidder),
markets as (select market, count(distinct tender_id) as n from known group by market),
meetings as (
    select a.market, a.bidder as one, b.bidder as other, a.tender_id, bool_and(a.decided and b.decided) as decided,
           coalesce(bool_or(a.won), false) as one_won, coalesce(bool_or(b.won), false) as other_won
    from   known a join known b on b.tender_id = a.tender_id and b.lot = a.lot and b.bidder > a.bidder group by all
),
pairs as (
    select market, one, other, count(*) as joint, count(*) filter (decided and one_won and not other_won) as one_wins,
           count(*) filter (decided and other_won and not one_won) as other_wins
    from   meetings group by market, one, other having count(*) >= 5
)
select p.one || '|' || p.other || '|' || p.market as id
from   pairs p join markets m using (market)
join   sizes a on a.market = p.market and a.bidder = p.one
join   sizes b on b.market = p.market and b.bidder = p.other
where  round(p.joint / (a.n + b.n - p.joint), 6) >= 0.5 and round(p.joint::double * m.n / (a.n::double * b.n), 6) > 2
and    greatest(p.one_wins, p.other_wins) >= 0.8 * p.joint
"""

QUERIES["BR18"] = """
with offered as (
    select b.tender_id, coalesce(b.lot, '') as lot, coalesce(b.item_number, '') as item, coalesce(bidder_of(b.bidder_root, b.bidder_id), b.bidder_name) as bidder,
           b.unit_price, b.value, b.quantity, b.won, if(b.won, true, b.valid) as valid, t.activity || '|' || u.state as market,
           bool_or(b.lot is not null or b.item_number is not null) over w as by_lot, bool_or(b.currency <> 'BRL') over w as foreign_money
    from   bids b join tenders t on t.id = b.tender_id join buyers u on u.id = t.buyer_id
    where  coalesce(t.modality, '') <> 'leilao' and not contains(lower(coalesce(t.criterion, '')), 'maior') and market is not null
    window w as (partition by b.tender_id)
),
bidders as (
    select tender_id, lot, item, market, bidder, case when bool_or(valid) then true when count(valid) = count(*) then false end as valid,
           min(unit_price) filter (valid and unit_price > 0) as unit_price, min(value) filter (valid and value > 0) as value,
           min(quantity) filter (valid) as quantity, coalesce(bool_or(won), false) as won
    from   offered where not coalesce(foreign_money, false) and (not by_lot or lot <> '' or item <> '') group by tender_id, lot, item, market, bidder
),
lots as (
    select tender_id, lot, item, market, count(*) filter (valid) as n,
           if(count(unit_price) filter (valid) = n, list_sort(list(unit_price::double) filter (valid)), list_sort(list(value::double) filter (valid))) as prices
    from   bidders group by tender_id, lot, item, market
    having n >= 4 and count(*) filter (valid is null) = 0 and count(*) filter (bidder is null) = 0 and count(*) filter (valid and won) < n
    and    (count(unit_price) filter (valid) = n or count(value) filter (valid) = n and count(distinct quantity) filter (valid) <= 1)
),
screens as (
    select *, round(list_stddev_samp(prices) / list_avg(prices), 9) as cv, round(list_skewness(prices), 9) as skewness,
           if(prices[2] < prices[-1] and list_stddev_samp(prices[2:]) > 1e-12 * list_avg(prices),
              round((prices[2] - prices[1]) / list_stddev_samp(prices[2:]), 9), null) as rd
    from   lots where list_stddev_samp(prices) > 1e-12 * list_avg(prices)
),
markets as (
    select market, quantile_cont(cv, 0.05) as cv, quantile_cont(rd, 0.95) as rd, quantile_cont(skewness, 0.05) as skewness
    from   screens group by market having count(*) >= 30 and count(distinct tender_id) >= 10
)
select s.tender_id || if(s.lot <> '' or s.item <> '', '|' || s.lot || '|' || s.item, '') as id
from   screens s join markets m using (market)
where  s.cv < m.cv and (s.rd > m.rd or s.skewness < m.skewness)
"""

# Blocked by pair and by value: two values within 1 % lie in the same or in neighbouring blocks of a width of 1.1 %.
QUERIES["BR19"] = f"""
with {SPENDING},
bought as (
    select id, source || '|' || buyer_id || '|' || coalesce(supplier_root, supplier_id) as pair, object, signed_on, value,
           floor(ln(value::double) / 0.011)::int as block
    from   spending where value > 0 and object is not null and signed_on is not null and pair is not null
),
spread as (select *, unnest([block - 1, block, block + 1]) as near from bought),
candidates as (
    select a.id as earlier, b.id as later, fold(a.object) as one, fold(b.object) as other, b.signed_on - a.signed_on as days
    from   bought a join spread b on b.pair = a.pair and b.near = a.block
    where  (b.signed_on, b.id) > (a.signed_on, a.id) and b.signed_on - a.signed_on <= 90 and abs(b.value - a.value) * 100 <= a.value
),
texts as (
    select distinct one, other from candidates where one <> other
),
likeness as (select one, other, jaccard(shingles(one), shingles(other)) as alike from texts),
alike as (
    select c.earlier, c.later, c.days
    from   candidates c left join likeness l on l.one = c.one and l.other = c.other where c.one = c.other or l.alike >= 0.85
),
-- Three in a row, 25 to 35 days apart, are instalments.
monthly as (select * from alike where days between 25 and 35),
middles as (select later as id from monthly where later in (select earlier from monthly)),
instalments as (
    from middles union select earlier from monthly where later in (from middles) union select later from monthly where earlier in (from middles)
)
select distinct later as id
from   alike where days < 25 or earlier not in (from instalments) or later not in (from instalments)
"""

QUERIES["BR20"] = """
with offered as (
    select i.source || '|' || coalesce(i.category, '') || '|' || i.catalog_code as class, coalesce(i.supplier_id, c.supplier_id) as supplier,
           coalesce(i.tender_id, c.tender_id, c.id) as sale
    from   items i left join contracts c on c.id = i.contract_id
    where  i.catalog_code is not null and coalesce(i.currency, 'BRL') = 'BRL' and not coalesce(c.income, false)
    union all
    select source || '||' || activity, supplier_id, coalesce(tender_id, id)
    from   contracts c
    where  activity is not null and coalesce(currency, 'BRL') = 'BRL' and not income
    and    not exists (select 1 from items i where i.contract_id = c.id and i.catalog_code is not null)
),
registered as (select cnpj_root as root, main_activity, other_activities from registrations where scope = 'establishment' and main_activity is not null),
held as (
    select distinct root, substr(trim(code), 1, 3) as cnae
    from   (select root, unnest(string_split(main_activity || ',' || coalesce(other_activities, ''), ',')) as code from registered) where trim(code) <> ''
),
sellers as (
    select class, substr(supplier, 6, 8) as root, count(distinct sale) as sales
    from   offered where supplier like 'cnpj:%' and root in (select root from registered) group by class, root
),
totals as (select class, sum(sales) as n, count(*) as sellers from sellers group by class having n >= 30 and count(*) > 10),
by_cnae as (select s.class, h.cnae, sum(s.sales) as sales, count(*) as sellers from sellers s join held h using (root) group by s.class, h.cnae),
best as (
    select s.class, s.root, any_value(s.sales) as sales, max(g.sales) as of_group, max(g.sellers) - 1 as alike
    from   sellers s join held h using (root) join by_cnae g on g.class = s.class and g.cnae = h.cnae group by s.class, s.root
),
shared as (
    select b.*, round(b.of_group / t.n, 6) as share, round(b.alike / (t.sellers - 1), 6) as alike_share,
           round(sum(b.sales) filter (round(b.of_group / t.n, 6) <= 0.01) over (partition by b.class) / t.n, 6) as tail
    from   best b join totals t using (class)
)
select class || '|' || root as id from shared where share <= 0.01 and alike_share <= 0.05 and tail <= 0.1
"""

QUERIES["BR21"] = f"""
with {SPENDING},
years as (
    select supplier_root as root, year(signed_on) as y,
           sum(round(value::double * least(1.0, 365.0 / greatest(1, ends_on - coalesce(starts_on, signed_on) + 1)), 2)::decimal(18, 2)) as awards
    from   spending where supplier_root is not null and signed_on is not null and value > 0 and ends_on is not null group by root, y
),
companies as (select cnpj_root as root, max(size) as size, max(capital) as capital from registrations where scope = 'company' group by root),
sized as (
    select y.*, c.capital, if(exists (select 1 from registrations m where m.scope = 'simples' and m.cnpj_root = y.root and m.mei_from <= make_date(y.y, 1, 1)
               and (m.mei_until is null or m.mei_until >= make_date(y.y, 12, 31))), 'MEI', c.size) as size
    from   years y join companies c using (root)
)
select s.root || '|' || s.y as id
from   sized s left join revenue_limits l on l.size = s.size and make_date(s.y, 12, 31) between l.from_on and l.until_on
where  s.awards > l.amount or (s.capital < 10000 and s.awards >= 100000)
"""

QUERIES["BR22"] = f"""
with {SPENDING},
spent as (
    select 'contracts' as series, source, buyer_id, signed_on as on_day, value from spending
    union all
    select kind, source, buyer_id, issued_on, value from payments where kind in ('commitment', 'payment') and coalesce(currency, 'BRL') = 'BRL'
),
dated as (select *, year(on_day) as y, month(on_day) as m, value > 0 as counts from spent where on_day is not null and buyer_id is not null),
covered as (select source, series, y from dated group by source, series, y having count(distinct m) = 12),
newest as (select source, series, max(on_day) as last_on from dated group by source, series),
since as (select source, series, buyer_id, min(on_day) as first_on from dated group by source, series, buyer_id),
years as (
    select source, series, buyer_id, y, count(*) filter (counts) as n, sum(value) filter (counts) as total,
           coalesce(sum(value) filter (counts and m = 12), 0) as december, coalesce(max(value) filter (counts and m = 12), 0) as largest
    from   dated group by source, series, buyer_id, y having n >= 24 and 20 * (count(*) - count(value)) <= n + count(*) - count(value)
),
whole as (
    select y.*, round(y.december::double / y.total::double, 6) as share, (y.december - y.largest)::double / nullif((y.total - y.largest)::double, 0) as without
    from   years y join covered using (source, series, y) join newest n using (source, series) join since s using (source, series, buyer_id)
    where  n.last_on >= make_date(y.y, 12, 28) and s.first_on <= make_date(y.y, 1, 31)
),
own as (
    select a.source, a.series, a.buyer_id, a.y, quantile_cont(b.share, [0.25, 0.5, 0.75]) as q, mad(b.share) as mad
    from   whole a join whole b on b.source = a.source and b.series = a.series and b.buyer_id = a.buyer_id and b.y between a.y - 5 and a.y - 1
    group  by all having count(*) >= 5
),
scored as (
    select w.*, if(o.mad > 0, 3.5, 1.5) as least,
           round(if(o.mad > 0, 0.6745 * (w.share - o.q[2]) / o.mad, (w.share - o.q[3]) / (o.q[3] - o.q[1])), 4) as z,
           round(if(o.mad > 0, 0.6745 * (w.without - o.q[2]) / o.mad, (w.without - o.q[3]) / (o.q[3] - o.q[1])), 4) as z_without
    from   whole w join own o using (source, series, buyer_id, y) where o.mad > 0 or o.q[3] > o.q[1]
)
select concat_ws('|', source, series, buyer_id, y) as id
from   scored
where  z > least and 12 * december >= 2 * total and z_without > least and 12 * (december - largest) >= 2 * (total - largest)
"""

QUERIES["BR23"] = f"""
with {SPENDING},
ruled as (
    select s.id, s.signed_on, coalesce(s.modality, t.modality, '') as way, b.sphere, e.ordinal - d.ordinal as days
    from   spending s
    join   business_days d on d.on_day = s.signed_on
    join   business_days e on e.on_day = s.published_on
    join   buyers b on b.id = s.buyer_id
    left join tenders t on t.id = s.tender_id
    where  s.source = 'pncp' and coalesce(s.regime, t.regime) = 'lei_14133' and b.sphere is not null
)
select r.id
from   ruled r join publication_deadlines d on d.regime = 'lei_14133' and r.signed_on between d.from_on and d.until_on
where  (d.procedure = if(r.way in ('dispensa', 'inexigibilidade'), 'direct_award', 'tender')
        or r.way not in ('dispensa', 'inexigibilidade', 'pregao', 'concorrencia', 'concurso', 'leilao', 'dialogo_competitivo'))
and    not (r.sphere = 'M' and exists (select 1 from publication_exemptions x where r.signed_on between x.from_on and x.until_on))
group  by r.id having any_value(r.days) > max(d.days) + 3
"""

QUERIES["BR24"] = f"""
with {SPENDING},
sized as (
    select s.source, b.sphere, s.buyer_id, concat_ws('|', s.source, b.sphere, s.activity, length(floor(s.value)::bigint::varchar)) as cell,
           (s.value % 1000 = 0)::int as is_round
    from   spending s join buyers b on b.id = s.buyer_id where s.value >= 10000 and b.sphere is not null and s.activity is not null
),
own as (
    select source, cell, buyer_id, count(*) as n, sum(is_round) as k, row_number() over (partition by cell order by count(*) desc, sum(is_round), buyer_id) as place
    from   sized group by source, cell, buyer_id
),
cells as (select cell, sum(n) as n, sum(k) as k, count(*) as bodies from own group by cell),
-- Against the others of a cell, with and without the largest of them.
odds as (
    select o.*, greatest((c.k - o.k + 0.5)::double / (c.n - o.n + 1), (c.k - o.k - l.k + 0.5)::double / (c.n - o.n - l.n + 1)) as chance
    from   own o join cells c using (cell) join own l on l.cell = o.cell and l.place = if(o.place = 1, 2, 1)
    where  c.n - o.n - l.n >= 30 and c.bodies - 1 >= 3
),
units as (
    select source || '|' || buyer_id as id, sum(n)::bigint as n, sum(k)::bigint as k, sum(n * chance) as expected from odds group by id having sum(n) >= 30
),
tested as (
    select id, least(1.0, sum(exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * ln(expected / n) + (n - i) * ln(1 - expected / n)))) as p
    from   (select *, unnest(generate_series(k, n)) as i from units) group by id
),
{CORRECTED}
select c.id from corrected c join units u using (id) where round(c.q, 8) < 0.001 and u.k >= 1.25 * u.expected
"""

QUERIES["BR25"] = f"""
with {SPENDING},
stated as (
    select 'contracts' as series, s.source, s.buyer_id, s.value, coalesce(s.modality, t.modality) as modality
    from   spending s left join tenders t on t.id = s.tender_id
    union all
    select p.kind, p.source, p.buyer_id, p.value, coalesce(c.modality, t.modality,
           case when lower(strip_accents(p.modality_as_stated)) like '%dispensa%' then 'dispensa'
                when lower(strip_accents(p.modality_as_stated)) like '%convite%' then 'convite'
                when regexp_matches(p.modality_as_stated, '[A-Za-z]') then 'other' end)
    from   payments p left join contracts c on c.id = p.contract_id left join tenders t on t.id = p.tender_id
    where  p.kind in ('commitment', 'payment') and coalesce(p.currency, 'BRL') = 'BRL'
),
amounts as (
    select concat_ws('|', source, series, buyer_id) as id, series, value, modality, substr(ltrim(replace(value::varchar, '.', ''), '0'), 1, 2)::int as d
    from   stated where buyer_id is not null and value >= 10 and coalesce(modality, '') not in ('dispensa', 'convite')
),
units as (
    select id, count(*) as n, max(modes) as most
    from   (select *, count(*) over (partition by id, value) as modes from amounts) group by id
    having n >= 300 and 20 * count(*) filter (modality is null and series <> 'payment') <= n and max(modes) <= 0.05 * n
    and    count(distinct value) >= 0.5 * n and quantile_cont(value::double, 0.99) / quantile_cont(value::double, 0.01) >= 100
),
law as (select unnest(generate_series(10, 99)) as d, log10(1 + 1.0 / d) as share),
counted as (
    select u.id, u.n, l.d, l.share, coalesce(a.k, 0) as k
    from   units u cross join law l left join (select id, d, count(*) as k from amounts group by id, d) a on a.id = u.id and a.d = l.d
),
digits as (
    select id, n, 'two' as test, d, share, k from counted
    union all select id, n, 'first', d // 10, sum(share), sum(k) from counted group by id, n, d // 10
    union all select id, n, 'second', d % 10, sum(share), sum(k) from counted group by id, n, d % 10
),
tests as (
    select id, n, test, avg(abs(k / n - share)) as mad,
           avg(sqrt(2 * share * (1 - share) / (pi() * n))) + 4 * sqrt((1 - 2 / pi()) * sum(share * (1 - share)) / n) / count(*) as chance
    from   digits group by id, n, test
)
select distinct id
from   tests
where  (n >= 1000) = (test = 'two') and round(mad, 6) > round(greatest(chance, case test when 'two' then 0.0022 when 'first' then 0.015 else 0.012 end), 6)
"""

QUERIES["BR28"] = """
select id
from   tenders
where  modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo') and coalesce(currency, 'BRL') = 'BRL'
and    result_on >= coalesce(closes_on, opened_on)
and    (result_on - coalesce(closes_on, opened_on) > 120 or (modality <> 'pregao' and result_on - coalesce(closes_on, opened_on) <= 5))
"""
