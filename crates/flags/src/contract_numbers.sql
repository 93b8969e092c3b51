-- Contract numbers as they can be compared: letters and digits alone, without "nº" and zeros in front ("nº 018/SPJT/2009" and
-- "18/SPJT/2009" are one). What holds no digit but zero is no number.
create or replace temp table contract_numbers as
with folded as (
    select id, regexp_replace(lower(strip_accents(number)), '[^a-z0-9]+', '', 'g') as written
    from   contracts
    where  number is not null and in_scope(coalesce(buyer_id || '|' || coalesce(supplier_root, supplier_id), '?'))
)
select id, regexp_replace(written, '^(?:n|no|nr|num|numero)?0*([0-9])', '\1') as number_key
from   folded where regexp_matches(written, '[1-9]')
