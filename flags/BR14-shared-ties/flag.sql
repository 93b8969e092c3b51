-- One row per tender with rivals: bidders for one lot of which not all won. Do two of them share a partner, or is one the
-- partner of another, or have they one address, telephone or e-mail address?
--
-- A tie weighs 1 ÷ ln(1 + n), n being the companies that share it: what an accountant gives to a hundred clients says
-- little. Of address, telephone and e-mail only the weightiest counts, for they come together; partners add up.
with offers as (
    select distinct b.tender_id, coalesce(b.lot, '') || '|' || coalesce(b.item_number, '') as lot, b.bidder_name as name, b.bidder_id,
           b.won, coalesce(b.bidder_root, case when b.bidder_id like 'cnpj:%' then substr(b.bidder_id, 6, 8) end, b.bidder_id) as bidder
    from   bids b where b.tender_id is not null and b.currency = 'BRL' and in_scope(b.tender_id)
),
contested as (
    select tender_id, lot from offers group by tender_id, lot
    having count(distinct bidder) > 1 and count(case when won then 1 end) < count(*)
),
rivals as (
    select o.tender_id, o.lot, o.bidder, min(o.bidder_id) as bidder_id, min(o.name) as name, bool_or(coalesce(o.won, false)) as won
    from   offers o join contested c on c.tender_id = o.tender_id and c.lot = o.lot where o.bidder is not null
    group  by o.tender_id, o.lot, o.bidder
),
bidders as (
    select distinct bidder, case when contains(bidder, ':') then bidder else 'cnpj:' || bidder end as self from rivals
),
-- Who shares what: contacts of establishments; partners, each company and each person being a partner of itself.
contacts as (
    select cnpj_root as node, 'endereço' as kind, address_key as tie from registrations where scope = 'establishment' and address_key is not null
    union select cnpj_root, 'e-mail', email_key from registrations where scope = 'establishment' and email_key is not null
    union select cnpj_root, 'telefone', unnest(string_split(phone_keys, ',')) from registrations where scope = 'establishment' and phone_keys is not null
),
owners as (
    select company_root as node, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end as tie,
           -- One entry of several: the earliest; one without a day may be any day.
           case when count(since_on) = count(*) then min(since_on) end as since_on
    from   partners where partner_id is not null
    group  by company_root, case when partner_id like 'cnpj:%' then substr(partner_id, 1, 13) else partner_id end
    union all
    select bidder, self, cast('1800-01-01' as date) from bidders
),
ties as (
    select c.node, c.kind, c.tie, cast('1800-01-01' as date) as since_on
    from   contacts c where c.tie in (select x.tie from contacts x join bidders b on b.bidder = x.node)
    union all
    select o.node, 'sócio', o.tie, o.since_on
    from   owners o where o.tie in (select x.tie from owners x join bidders b on b.bidder = x.node)
),
degrees as (
    select kind, tie, count(distinct node) as degree from ties group by kind, tie having count(distinct node) > 1
),
-- What several share, and who met whom: joined to one another, not to everything.
common as materialized (
    select t.node, t.kind, t.tie, t.since_on, d.degree from ties t join degrees d on d.kind = t.kind and d.tie = t.tie
),
met as materialized (
    select a.tender_id, a.bidder as one, b.bidder as other
    from   rivals a join rivals b on b.tender_id = a.tender_id and b.lot = a.lot and b.bidder > a.bidder
),
days as (
    select t.id, coalesce(t.opened_on, t.closes_on, t.published_on, t.result_on) as day from tenders t
),
-- Pairs of rivals with what they share; `dated` says whether both had the tie on the day, null where that is unknown.
shared as (
    select distinct m.tender_id, m.one, m.other, x.kind, x.tie, x.degree, 1 / ln(1 + x.degree) as weight,
           case when x.kind <> 'sócio' then true else x.since_on <= y.day and z.since_on <= y.day end as dated
    from   met m
    join   common x on x.node = m.one
    join   common z on z.node = m.other and z.kind = x.kind and z.tie = x.tie
    left join days y on y.id = m.tender_id
),
pairs as (
    select tender_id, one, other,
           coalesce(max(case when kind <> 'sócio' then weight end), 0) + coalesce(sum(case when kind = 'sócio' and dated then weight end), 0) as score,
           coalesce(max(case when kind <> 'sócio' then weight end), 0) + coalesce(sum(case when kind = 'sócio' and dated is distinct from false then weight end), 0) as score_max,
           count(case when kind = 'sócio' and dated then 1 end) as partner_ties,
           max(case when kind <> 'sócio' then 1 else 0 end) as contact_tie,
           min(case when kind <> 'sócio' or dated then degree end) as least_degree,
           min(case when kind <> 'sócio' then degree end) as contact_degree,
           string_agg(case when kind <> 'sócio' or dated then kind || ' (compartilhado por ' || degree || ')' end, ', ' order by kind, degree) as said
    from   shared group by tender_id, one, other
),
best as (
    select *, row_number() over (partition by tender_id order by score desc, one, other) as place,
           max(score_max) over (partition by tender_id) as tender_max,
           count(case when score >= $score_min then 1 end) over (partition by tender_id) as tied
    from   pairs
),
held as (
    select (select count(*) from registrations where scope = 'establishment') as registrations, (select count(*) from partners) as partners
),
registered as (
    select distinct cnpj_root as node from registrations where scope = 'establishment'
),
known as (
    select r.tender_id, count(distinct r.bidder) as bidders,
           count(distinct case when not contains(r.bidder, ':') and g.node is null then r.bidder end) as unregistered
    from   rivals r left join registered g on g.node = r.bidder group by r.tender_id
),
nameless as (
    select distinct o.tender_id from offers o where o.bidder is null
),
judged as (
    select k.tender_id, k.bidders, p.one, p.other, p.score, p.partner_ties, p.contact_tie, p.least_degree, p.contact_degree, p.said, p.tied, t.source, y.day,
           t.buyer_id, t.buyer_name, t.number,
           case when round(coalesce(p.score, 0), 6) >= $score_min then null
                when h.registrations = 0           then 'registrations'
                when h.partners = 0                then 'partners'
                when k.unregistered > 0            then 'registrations'
                when n.tender_id is not null       then 'bids.bidder_id'
                when p.tender_max >= $score_min and y.day is null then 'tenders.opened_on'
                when p.tender_max >= $score_min    then 'partners.since_on' end as missing
    from   known k join held h on true
    left join best p on p.tender_id = k.tender_id and p.place = 1
    left join nameless n on n.tender_id = k.tender_id
    left join tenders t on t.id = k.tender_id
    left join days y on y.id = k.tender_id
),
names as (
    select tender_id, bidder, min(bidder_id) as bidder_id, min(name) as name, bool_or(won) as won from rivals group by tender_id, bidder
),
signed as (
    select c.tender_id, string_agg(c.id, chr(31) order by c.id) as contract_ids, sum(coalesce(c.value_initial, c.value_final)) as amount
    from   contracts c join judged j on j.tender_id = c.tender_id and j.missing is null
    where  not c.income and c.currency = 'BRL' and coalesce(c.supplier_root, c.supplier_id) in (j.one, j.other) group by c.tender_id
)
select j.tender_id as subject_id, j.tender_id as group_key, coalesce(j.source, 'bids') as source,
       case when j.missing is not null then 'not_computable' when round(j.score, 6) >= $score_min then 'hit' else 'clear' end as outcome,
       j.missing,
       round(coalesce(j.score, 0), 6)            as measure,
       $score_min                                as threshold,
       round(j.score, 6)                         as tip_score_min,
       case when j.partner_ties > 0 then 'medium' else 'low' end as severity,
       s.amount, j.day as as_of, j.buyer_id, coalesce(u.name, j.buyer_name) as buyer_name,
       case when b.won and not a.won then b.bidder_id else a.bidder_id end as supplier_id,
       case when b.won and not a.won then b.name else a.name end as supplier_name,
       s.contract_ids, j.bidders                 as rows_read,
       j.number as ev_number, j.bidders as ev_bidders, a.name as ev_one, b.name as ev_other, j.said as ev_ties, j.tied as ev_tied,
       case when a.won and b.won then 'os dois venceram itens' when a.won or b.won then 'um dos dois venceu' else 'nenhum dos dois venceu' end as ev_won,
       case when a.won and b.won then 'both won items' when a.won or b.won then 'one of the two won' else 'neither won' end as ev_won_en,
       case when j.contact_tie = 1 then 'O dado de contato em comum é de só ' || j.contact_degree || ' empresas do cadastro.' else 'O sinal não depende de dados de contato.' end as ev_contact,
       case when j.contact_tie = 1 then 'Only ' || j.contact_degree || ' companies of the register share the contact.' else 'The flag does not rest on contacts.' end as ev_contact_en,
       j.contact_degree as ev_contact_degree,
       case when j.contact_tie = 1 and j.contact_degree >= 10 then 'likely' else 'ruled_out' end as ex_virtual_office,
       case when j.contact_tie = 1 and j.partner_ties = 0 then 'possible' else 'ruled_out' end as ex_accountant,
       case when j.partner_ties > 0 then 'possible' else 'ruled_out' end as ex_namesake
from   judged j
left join names a on a.tender_id = j.tender_id and a.bidder = j.one
left join names b on b.tender_id = j.tender_id and b.bidder = j.other
left join signed s on s.tender_id = j.tender_id
left join buyers u on u.id = j.buyer_id
union all by name
select t.id as subject_id, t.id as group_key, t.source, 'not_computable' as outcome,
       case when t.id in (select tender_id from nameless) then 'bids.bidder_id' else 'bids' end as missing
from   tenders t
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'rdc', 'concurso', 'dialogo_competitivo')
and    t.currency = 'BRL' and in_scope(t.id) and t.id not in (select tender_id from known)
