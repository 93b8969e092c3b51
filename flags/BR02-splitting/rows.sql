-- The waivers that were added up.
select split_part(r, chr(30), 1) as tbl, split_part(r, chr(30), 2) as id
from   (select unnest(string_split(member_rows, chr(31))) as r from judged where subject_id = $subject) as m
