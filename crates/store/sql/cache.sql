-- What the cache keeps on the disk. Nothing here is a fact: the file may be deleted at any time.

create table if not exists entries (
    id    integer primary key autoincrement,
    key   blob not null unique,
    entry blob not null
);
