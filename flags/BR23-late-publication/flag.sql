-- One row per contract of Lei 14.133: how many business days passed from signature to publication in PNCP?
--
-- Only PNCP's own records say when PNCP published. Without the modality both deadlines are possible: a hit needs the
-- longer one exceeded, clear the shorter one kept. Within the allowance for local holidays it is not known.
with signed as (
    select c.*, coalesce(c.value_initial, c.value_final) as value, coalesce(b.name, c.buyer_name) as body, b.sphere,
           coalesce(c.regime, t.regime) as law, coalesce(c.modality, t.modality) as way, e.ordinal - s.ordinal as days
    from   contracts c
    left join tenders t on t.id = c.tender_id
    left join buyers b on b.id = c.buyer_id
    left join business_days s on s.on_day = c.signed_on
    left join business_days e on e.on_day = c.published_on
    where  not c.income and coalesce(c.currency, 'BRL') = 'BRL' and coalesce(coalesce(c.regime, t.regime), 'lei_14133') = 'lei_14133' and in_scope(c.id)
),
deadlines as (
    select s.id, min(d.days) as least, max(d.days) as greatest, arg_max(d.article, d.days) as article, arg_max(d.act, d.days) as act,
           min(d.from_on) as law_from, min(d.until_on) as law_to
    from   signed s
    join   publication_deadlines d on d.regime = s.law and s.signed_on between d.from_on and d.until_on
    where  s.way is null or s.way not in ('dispensa', 'inexigibilidade', 'pregao', 'concorrencia', 'concurso', 'leilao', 'dialogo_competitivo')
    or     d.procedure = case when s.way in ('dispensa', 'inexigibilidade') then 'direct_award' else 'tender' end
    group  by s.id
),
timed as (
    select s.*, d.least, d.greatest, d.article, d.act, d.law_from, d.law_to,
           case when s.source <> 'pncp'                       then 'contracts.published_in_pncp'
                when s.law is null                            then 'contracts.regime'
                when s.signed_on is null                      then 'contracts.signed_on'
                when s.published_on is null                   then 'contracts.published_on'
                when s.days is null or d.least is null        then 'law.publication_deadlines'
                when s.days <= d.least                        then null
                when s.sphere is null                         then 'buyers.sphere'
                when s.sphere = 'M' and exists (select 1 from publication_exemptions x where s.signed_on between x.from_on and x.until_on) then 'buyers.population'
                when s.days <= d.greatest                     then 'contracts.modality'
                when s.days <= d.greatest + $local_holidays   then 'calendar.local_holidays' end as missing
    from   signed s left join deadlines d on d.id = s.id
)
select j.id as subject_id, j.id as group_key, j.source,
       case when j.missing is not null then 'not_computable' when j.days > j.greatest + $local_holidays then 'hit' else 'clear' end as outcome,
       j.missing,
       case when j.missing is null then j.days end as measure,
       case when j.days <= j.least then j.least else j.greatest + $local_holidays end as threshold,
       case when j.missing is null or j.missing = 'calendar.local_holidays' then j.days - j.greatest end as tip_local_holidays,
       case when j.days > 3 * j.greatest then 'medium' else 'low' end as severity,
       j.value                                   as amount,
       j.published_on                            as as_of,
       j.buyer_id, j.body as buyer_name, j.supplier_id, j.supplier_name, j.id as contract_ids, 1 as rows_read,
       j.signed_on as ev_signed_on, j.greatest as ev_days, j.article as ev_article, j.act as ev_act,
       j.law_from as ev_law_from, nullif(j.law_to, date '9999-12-31') as ev_law_to, j.greatest as ev_law_limit,
       'ruled_out' as ex_local_holidays
from   timed j
