-- Everything that changes when the data do: rows, what was judged of them, which ids are one, what parties say. Small tables all.
select
    (select count(*) || ' ' || coalesce(max(id), 0) || ' ' || total(kept + replaced) || ' ' || count(finished_at) || ' ' || count(judged_at) from ingests),
    (select count(*) || ' ' || total(rows_done) || ' ' || total(complete) from files),
    (select coalesce(max(id), 0) from quarantine),
    (select coalesce(max(id), 0) || ' ' || total(lost) || ' ' || count(valid_to) from segments),
    (select coalesce(max(id), 0) from runs),
    (select coalesce(max(id), 0) from entity_link_history),
    (select coalesce(max(id), 0) || ' ' || count(*) from statements),
    (select count(*) from statement_withdrawals)
