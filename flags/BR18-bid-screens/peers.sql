-- The market of a lot: every lot of the same line of activity and state with four valid priced bids or more.
select group_key as peer_key, subject_id as row_id, tender_id, cv as value, rd, skewness
from   bid_screens where missing is null and in_scope(group_key)
