-- On which ground each stated legal basis lets a body contract without a tender: `value`, `emergency`, `exclusive` (the only
-- supplier) or `other`. What cannot be read has none.
create or replace temp table legal_grounds as
with stated as (
    select legal_basis from contracts where legal_basis is not null
    union
    select legal_basis from tenders where legal_basis is not null
),
levelled as (
    select legal_basis, trim(regexp_replace(lower(strip_accents(legal_basis)), '[^a-z0-9]+', ' ', 'g')) as basis from stated
),
clauses as (
    select legal_basis, basis,
           regexp_extract(basis, '(?:^| )(24|25|29|30|74|75) (?:o )?(?:caput )?(?:inc[a-z]* )?([ivxl]+)(?: |$)', 1) as article,
           regexp_extract(basis, '(?:^| )(24|25|29|30|74|75) (?:o )?(?:caput )?(?:inc[a-z]* )?([ivxl]+)(?: |$)', 2) as clause,
           -- An article means its law's: without a law its number tells.
           contains(basis, '13 303') as of_state_companies,
           contains(basis, '8 666') or (not contains(basis, '14 133') and not contains(basis, '13 303')) as may_be_8666,
           contains(basis, '14 133') or (not contains(basis, '8 666') and not contains(basis, '13 303')) as may_be_14133
    from   levelled
),
grounds as (
    select legal_basis,
           case -- Laws of the pandemic: purchases to face an emergency.
                when regexp_matches(basis, '(^| )(13 979|14 035|14 124)( |$)')                        then 'emergency'
                when may_be_14133 and article = '75' and clause in ('i', 'ii')                        then 'value'
                when may_be_14133 and article = '75' and clause = 'viii'                              then 'emergency'
                when may_be_14133 and article = '74' and clause = 'i'                                 then 'exclusive'
                when may_be_14133 and article in ('74', '75') and clause <> ''                        then 'other'
                when may_be_8666 and article = '24' and clause in ('i', 'ii')                         then 'value'
                when may_be_8666 and article = '24' and clause = 'iv'                                 then 'emergency'
                when may_be_8666 and article = '25' and clause = 'i'                                  then 'exclusive'
                when may_be_8666 and article in ('24', '25') and clause <> ''                         then 'other'
                when of_state_companies and article = '29' and clause in ('i', 'ii')                  then 'value'
                when of_state_companies and article = '29' and clause = 'xv'                          then 'emergency'
                when of_state_companies and article = '30' and clause = 'i'                           then 'exclusive'
                when of_state_companies and article in ('29', '30') and clause <> ''                  then 'other'
           end as ground
    from   clauses
)
select legal_basis, ground from grounds where ground is not null
