-- Discounts of contested tenders of Lei 14.133, by modality and year.
select t.modality || '|' || cast(year(coalesce(t.published_on, t.result_on, t.opened_on)) as varchar) as peer_key, t.id as row_id,
       round(cast(t.value_estimated - t.value_awarded as double) / cast(t.value_estimated as double), 6) as value
from   tenders t
where  t.regime = 'lei_14133' and t.modality in ('pregao', 'concorrencia', 'concurso', 'dialogo_competitivo') and t.value_estimated > 0 and t.value_awarded > 0
and    coalesce(t.currency, 'BRL') = 'BRL' and not regexp_matches(lower(strip_accents(coalesce(t.criterion, ''))), 'maior (lance|oferta|retorno|valor)')
and    in_scope(t.modality || '|' || cast(year(coalesce(t.published_on, t.result_on, t.opened_on)) as varchar))
