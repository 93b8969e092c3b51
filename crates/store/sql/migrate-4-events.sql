-- Version 4: what was decided, as a log; what is to be done, as a queue; and what is read of both.

-- The log. Rows are only ever added, by one transaction after the other, so that `seq` has no gaps and never skips a late commit. Each row
-- holds the hash of the one before it (see chain.rs); `cidadao audit verify` walks them.
create table events (
    seq         integer primary key,
    stream      text not null,
    version     integer not null,
    type        text not null,
    payload     text not null,
    metadata    text not null,
    recorded_at text not null,
    previous    text not null,
    hash        text not null
);
create unique index events_by_stream on events (stream, version);

-- What a command with a key was answered, so that it is done once.
create table command_answers (
    command     text not null,
    key         text not null,
    body_hash   text not null,
    answer      text not null,
    answered_ms integer not null,
    primary key (command, key)
) without rowid;
create index command_answers_by_age on command_answers (answered_ms);

-- How far the relay has published the log.
create table outbox_cursors (
    name text primary key,
    seq  integer not null
) without rowid;

-- What is to be done. `ready` waits for `due_ms`; `taken` is someone's until `lease_ms`; `blocked` waits for an earlier one of its lane, of
-- which one at most is ready or taken; `dead` failed for good. What is done is deleted.
create table tasks (
    id          integer primary key autoincrement,
    topic       text not null,
    key         text not null,
    lane        text,
    body        text not null,
    state       text not null,
    attempts    integer not null,
    due_ms      integer not null,
    lease_ms    integer,
    worker      text,
    error       text,
    enqueued_at text not null,
    died_at     text
);
create unique index tasks_by_key on tasks (topic, key);
create index tasks_ready on tasks (topic, due_ms, id) where state = 'ready';
create index tasks_taken on tasks (topic, lease_ms) where state = 'taken';
create index tasks_by_lane on tasks (topic, lane, id) where lane is not null;
create index tasks_dead on tasks (id) where state = 'dead';

-- Read models: made of the log alone, so that `cidadao rebuild` makes them again.

create table investigations (
    rid        integer primary key,
    id         text not null unique,
    user_id    text not null,
    status     text not null,
    phase      text,
    asked      text not null,
    plan       text,
    summary    text,
    error      text,
    findings   integer not null,
    created_at text not null,
    updated_at text not null,
    ended_at   text,
    version    integer not null
);
create index idx_investigations_composite on investigations (status, user_id, created_at desc, rid desc);
create index idx_active_investigations on investigations (created_at) where status = 'active';
create index investigations_by_day on investigations (created_at, rid);
create index investigations_by_user on investigations (user_id, created_at, rid);
create index investigations_by_status on investigations (status, created_at, rid);

create table investigation_flags (
    investigation_id text not null,
    flag             text not null,
    state            text not null,
    attempts         integer not null,
    findings         integer not null,
    outcome          text,
    error            text,
    primary key (investigation_id, flag)
) without rowid;

create table investigation_findings (
    rid              integer primary key,
    investigation_id text not null,
    finding_id       text not null,
    flag             text not null,
    gravity          integer not null,
    -- The finding as it was judged, where it is not stored.
    body             text,
    known_since      text
);
create unique index investigation_findings_once on investigation_findings (investigation_id, finding_id);
create index investigation_findings_by_gravity on investigation_findings (investigation_id, gravity, rid);

create table ingest_jobs (
    id         integer primary key,
    status     text not null,
    paths      text not null,
    asked_at   text not null,
    started_at text,
    ended_at   text,
    report     text,
    error      text
);

-- The number of a verdict among those of its finding: what a stream of events calls a version.
alter table verdicts add column version integer not null default 0;
update verdicts set version = (select count(*) from verdicts o where o.finding_id = verdicts.finding_id and o.id <= verdicts.id);
