-- What is not canonical: where rows came from, which segments count, what was judged.
-- The canonical tables are made from the model's list of columns (see schema.rs).

create table meta (
    key   text primary key,
    value text not null
) without rowid;

-- One run of an ingest. While `finished_at` is null it is under way, or was broken off and waits to be continued: its rows
-- so far are held, but no segment holds them and no flag has seen them.
create table ingests (
    id          integer primary key,
    started_at  text not null,
    finished_at text,
    judged_at   text,
    read integer not null default 0, kept integer not null default 0, unchanged integer not null default 0,
    replaced integer not null default 0, quarantined integer not null default 0
);

-- Partitions whose rows the ingest under way has changed.
create table touched (
    tbl       text not null,
    source    text not null,
    partition text not null,
    rewrite   integer not null,
    primary key (tbl, source, partition)
) without rowid;

create table files (
    id         integer primary key,
    ingest_id  integer not null,
    name       text not null,
    sha256     text not null,
    member     text not null,
    source     text not null,
    format     text not null,
    fetched_at text not null,
    read integer not null, kept integer not null, unchanged integer not null,
    replaced integer not null, quarantined integer not null,
    complete   integer not null default 0,
    -- Rows of it that are dealt with: where its reading goes on after it was broken off.
    rows_done  integer not null default 0,
    -- Why it could not be read to its end.
    error      text,
    -- What its rows need to be read again by themselves: its header, and the mapping it was read with.
    head       text not null default '',
    mapping    text not null default '',
    -- The program that reads it: another may read other rows.
    reader     text not null default '',
    unique (sha256, member, source)
);

-- Rows that were replaced stay reachable.
create table versions (
    tbl        text not null,
    record_id  text not null,
    row_hash   text not null,
    file_id    integer not null,
    line       integer not null,
    valid_from integer not null,
    valid_to   integer not null,
    fields     text not null,
    -- For records that rows state piece by piece: the date of this piece, and what of it is in no column.
    updated_at text,
    metadata   text
);
create index versions_by_record on versions (record_id, tbl);

create table quarantine (
    id        integer primary key,
    ingest_id integer not null,
    file_id   integer not null,
    line      integer not null,
    col       text,
    reason    text not null,
    detail    text not null,
    raw       text not null,
    -- The row stands in `raw` as a whole, so that it can be read again from there.
    whole     integer not null default 1
);
create index quarantine_by_file on quarantine (file_id, line);

-- Keys that one file gave to several differing rows: their records are told apart by content.
create table shared_keys (
    tbl text not null,
    idh integer not null,
    primary key (tbl, idh)
) without rowid;

-- The only truth about which Parquet files count.
create table segments (
    id         integer primary key,
    tbl        text not null,
    source     text not null,
    partition  text not null,
    path       text not null unique,
    rows       integer not null,
    bytes      integer not null,
    min_on     text,
    max_on     text,
    sha256     text not null,
    from_ingest integer not null,
    to_ingest  integer,
    valid_from text not null,
    valid_to   text,
    -- Its file was found missing or altered: what it held is known from here on only where a newer segment holds it.
    lost       integer not null default 0
);
create index segments_live on segments (tbl, source, partition) where valid_to is null;

-- Judged outcomes: one Parquet file per flag holds them all, this holds their count.
create table coverage (
    flag    text not null,
    source  text not null,
    outcome text not null,
    field   text not null,
    n       integer not null,
    primary key (flag, source, outcome, field)
) without rowid;

create table runs (
    id                integer primary key,
    judged_at         text not null,
    catalogue_version text not null,
    program_version   text not null,
    law_version       text not null,
    segments          text not null,
    scope             text not null
);

create table findings (
    rid          integer primary key,
    id           text not null unique,
    flag         text not null,
    severity     text not null,
    kind         text not null,
    state        text not null,
    gravity      integer not null,
    amount       integer not null,
    as_of        text not null,
    group_key    text not null,
    subject_id   text not null,
    buyer_id     text,
    supplier_id  text,
    run_id       integer not null,
    first_seen_at text not null,
    updated_at   text not null,
    body         text not null
);
create index findings_by_gravity on findings (state, gravity, rid);
create index findings_by_amount on findings (state, amount, rid);
create index findings_by_as_of on findings (state, as_of, rid);
create index findings_by_flag on findings (flag, state, gravity, rid);
create index findings_by_buyer on findings (buyer_id, state);
create index findings_by_supplier on findings (supplier_id, state);

create table finding_contracts (
    contract_id text not null,
    finding_id  text not null,
    primary key (contract_id, finding_id)
) without rowid;
create index finding_contracts_by_finding on finding_contracts (finding_id);

create virtual table contracts_fts using fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
create virtual table suppliers_fts using fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
create virtual table buyers_fts using fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii');
