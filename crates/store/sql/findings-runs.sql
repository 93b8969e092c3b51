-- By run: what was found, changed or withdrawn since one is told to those who follow.
create index if not exists findings_by_run on findings (run_id, rid);
