-- Version 8: what a stream's events came to at a version, so that a long stream need not be read from its start. Any of it may be thrown away.
create table if not exists snapshots (
    stream text primary key,
    version bigint not null,
    format bigint not null,
    state text not null
);
