-- The unit's waivers in the two bands, the nearest to the limit first.
select tbl, id from peers where peer_key = $subject and in_window order by value desc, id
