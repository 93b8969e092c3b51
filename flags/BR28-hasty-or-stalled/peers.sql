-- Days from proposals to result, by modality and source; price registrations, which take longer, are peers of each other.
select t.modality || '|' || t.source || case when t.price_registration then '|registro de preços' else '' end as peer_key, t.id as row_id, date_diff('day', coalesce(t.closes_on, t.opened_on), t.result_on) as value
from   tenders t
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo')
and    t.result_on >= coalesce(t.closes_on, t.opened_on) and t.value_awarded is distinct from 0 and coalesce(t.currency, 'BRL') = 'BRL' and in_scope(t.modality || '|' || t.source)
