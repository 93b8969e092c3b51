-- Everything that changes when the data do: rows, what was judged of them, which ids are one, what parties say. Small tables all.
select
    (select count(*) || ' ' || coalesce(max(id), 0) || ' ' || coalesce(sum(kept + replaced), 0) || ' ' || count(finished_at) || ' ' || count(judged_at) from ingests)
    || '/' || (select count(*) || ' ' || coalesce(sum(rows_done), 0) || ' ' || count(case when complete then 1 end) from files)
    || '/' || (select coalesce(max(id), 0) from quarantine)
    || '/' || (select coalesce(max(id), 0) || ' ' || count(case when lost then 1 end) || ' ' || count(valid_to) from segments)
    || '/' || (select coalesce(max(id), 0) from runs)
    || '/' || (select coalesce(max(id), 0) from entity_link_history)
    || '/' || (select coalesce(max(id), 0) || ' ' || count(*) from statements)
    || '/' || (select count(*) from statement_withdrawals)
