-- What a buyer's name, or that of the body above it, says of its legal form: the law gives state companies limits of
-- their own, and consortia twice the waiver's. Companies of the army are not companies, and the central bank is no bank
-- of the state. A form that the name does not say is null.
select id as buyer_id,
       case when regexp_matches(folded, ' (ebserh|embrapa|petrobras|eletrobras|infraero|correios|sociedade de economia mista|empresa ([a-z]+ )?(publica|brasileira|bras|de|do|da)|banco d[oae]|s a) ')
              or (regexp_matches(folded, ' (companhia|cia) ') and not regexp_matches(folded, ' (exercito|combate|infantaria|comando|policia|bombeiros|fuzileiros|militar) ')) then 'state_company'
            when contains(folded, ' consorcio ') then 'consortium' end as form
from   (select id, ' ' || trim(regexp_replace(lower(strip_accents(name || ' ' || coalesce(parent_name, ''))), '[^a-z0-9]+', ' ', 'g')) || ' ' as folded
        from buyers) as named
