-- Days from proposals to result, by modality and source.
select t.modality || '|' || t.source as peer_key, t.id as row_id, date_diff('day', coalesce(t.closes_on, t.opened_on), t.result_on) as value
from   tenders t
where  t.modality in ('pregao', 'concorrencia', 'tomada_de_precos', 'convite', 'concurso', 'rdc', 'dialogo_competitivo')
and    t.result_on >= coalesce(t.closes_on, t.opened_on) and t.value_awarded is distinct from 0 and coalesce(t.currency, 'BRL') = 'BRL' and in_scope(t.modality || '|' || t.source)
