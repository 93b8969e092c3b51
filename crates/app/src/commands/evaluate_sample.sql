-- The subjects that the cases in `named` speak of, with what they got.
--   subject   the subject itself
--   group     every subject of a peer group
--   pair      a pair of bidders, in whatever market they met
--   first     a community of bidders, known by one of them
--   item      the items of a contract under a catalogue code
--   buyer     what is judged of a buyer as a whole, or in that year
--   activity  a buyer and year, in the line of activity that the contract was read as
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join outcomes o on o.subject_id = n.key where n.kind = 'subject'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join outcomes o on o.group_key = n.key where n.kind = 'group'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join outcomes o on split_part(o.subject_id, '|', 1) || '|' || split_part(o.subject_id, '|', 2) = n.key where n.kind = 'pair'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join outcomes o on split_part(o.subject_id, '|', 1) = n.key where n.kind = 'first'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join items i on i.contract_id = n.key and i.catalog_code = n.rest join outcomes o on o.subject_id = i.id where n.kind = 'item'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join contracts c on c.id = n.key join outcomes o on o.subject_id = n.rest || '|' || c.activity where n.kind = 'activity'
union all
select distinct n.case_at, o.subject_id, o.outcome, o.missing
from   named n join outcomes o on list_contains(string_split(o.subject_id, '|'), n.key)
and    (not regexp_matches(o.subject_id, '[|]20[0-9][0-9]([|]|$)') or list_contains(string_split(o.subject_id, '|'), n.rest)) where n.kind = 'buyer'
order  by all
