-- The strongest frequency of each unit that can be tested, as its share of all of them.
select split_part(unit, '|', 2) as peer_key, unit as row_id, g as value
from   spending_periods where g is not null and weeks >= $weeks_min and active >= $active_min * weeks
