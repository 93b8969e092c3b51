-- The communities of a market whose row of wins is long enough to be judged.
select market as peer_key, subject_id as row_id, entropy as value
from   bidder_communities where undecided = 0 and undated = 0 and wins >= $wins_min and in_scope(market)
