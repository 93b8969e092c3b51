-- Who is who across sources: links between ids of one buyer or supplier, what became of each, and the ids that are
-- one entity now. Made on every opening when they are not there; nothing here changes a canonical row.

create table if not exists entity_links (
    rid        integer primary key,
    kind       text not null,
    from_id    text not null,
    into_id    text not null,
    basis      text not null,
    confidence real not null,
    state      text not null,
    decided_by text not null,
    decided_at text not null,
    reason     text not null,
    unique (kind, from_id, into_id)
);
create index if not exists entity_links_by_day on entity_links (decided_at);
create index if not exists entity_links_by_kind on entity_links (kind, decided_at);
create index if not exists entity_links_by_state on entity_links (state, decided_at);
create index if not exists entity_links_by_kind_state on entity_links (kind, state, decided_at);
create index if not exists entity_links_into on entity_links (kind, into_id);

-- Every state that a link was ever in.
create table if not exists entity_link_history (
    id         integer primary key,
    link_rid   integer not null,
    state      text not null,
    basis      text not null,
    decided_by text not null,
    decided_at text not null,
    reason     text not null
);
create index if not exists entity_link_history_by_link on entity_link_history (link_rid);

-- Derived from the merged links: each id that is not alone, and the id that stands for all of them.
create table if not exists entity_members (
    kind      text not null,
    id        text not null,
    entity_id text not null,
    primary key (kind, id)
) without rowid;
create index if not exists entity_members_by_entity on entity_members (kind, entity_id);

-- What the rows of a source and table say that no mapping knows, as of an ingest (see quality.rs).
create table if not exists quality_notes (
    source text not null,
    tbl    text not null,
    field  text not null,
    value  text not null,
    n      integer not null,
    primary key (source, tbl, field, value)
) without rowid;
