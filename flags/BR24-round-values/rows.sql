-- The unit's contracts that were compared, the round ones first, dearest first.
select 'contracts' as tbl, id from peers where unit = $subject and comparable order by is_round desc, amount desc, id
