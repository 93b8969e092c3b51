-- What people say of findings. Rows are only ever added; `standing_verdicts` is derived from them: the last verdict of each
-- finding. A finding's id is a hash of flag and subject, so what was said of it survives that it is judged again.

create table verdicts (
    id           integer primary key,
    finding_id   text not null,
    verdict      text not null,
    reason       text not null,
    who          text not null,
    given_at     text not null,
    flag         text not null,
    flag_version integer not null,
    -- What the finding said when it was given, as JSON.
    given_on     text not null
);
create index verdicts_by_finding on verdicts (finding_id, id);

create table standing_verdicts (
    finding_id   text primary key,
    verdict_id   integer not null,
    verdict      text not null,
    flag         text not null,
    flag_version integer not null
) without rowid;
create index standing_verdicts_by_verdict on standing_verdicts (verdict);
create index standing_verdicts_by_flag on standing_verdicts (flag, flag_version, verdict);

create table statements (
    id         integer primary key,
    finding_id text not null,
    who        text not null,
    text       text not null,
    -- For those who keep the house; never shown.
    contact    text,
    made_at    text not null
);
create index statements_by_finding on statements (finding_id, id);

create table statement_withdrawals (
    statement_id integer primary key,
    reason       text,
    withdrawn_at text not null
);
