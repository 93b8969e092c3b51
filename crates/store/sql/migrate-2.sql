-- From version 1: what is not canonical. The canonical tables are copied by the program.

alter table ingests rename to old_ingests;
create table ingests (
    id          integer primary key,
    started_at  text not null,
    finished_at text,
    judged_at   text,
    read integer not null default 0, kept integer not null default 0, unchanged integer not null default 0,
    replaced integer not null default 0, quarantined integer not null default 0
);
insert into ingests select id, started_at, finished_at, judged_at, read, kept, unchanged, replaced, quarantined from old_ingests;
drop table old_ingests;

create table touched (
    tbl       text not null,
    source    text not null,
    partition text not null,
    rewrite   integer not null,
    primary key (tbl, source, partition)
) without rowid;

alter table files add column rows_done integer not null default 0;
alter table files add column error text;
alter table files add column head text not null default '';
alter table files add column mapping text not null default '';
alter table files add column reader text not null default '';
update files set rows_done = read;
update files set error = 'read before errors were kept' where not complete;

alter table segments add column lost integer not null default 0;

alter table versions add column updated_at text;
alter table versions add column metadata text;

-- What was quarantined before was cut at 4 KiB, and the headers of CSV files were not kept: without them their rows cannot
-- be read by themselves.
alter table quarantine add column whole integer not null default 1;
update quarantine set whole = length(cast(raw as blob)) <= 4092 and instr(raw, char(65533)) = 0
    and reason not in ('encoding', 'truncated', 'too_long')
    and file_id in (select id from files where source = 'pncp');

-- Segments written before lack the columns that came with this version: the next ingest writes them anew from the rows.
insert into touched (tbl, source, partition, rewrite)
    select distinct tbl, source, partition, 1 from segments where valid_to is null;
