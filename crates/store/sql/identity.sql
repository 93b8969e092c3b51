-- Version 7: who calls. These tables are the truth about it and not made of the log: the log says that an account or a key was made,
-- changed or ended, and never holds what is derived from a secret, for nothing can be taken out of it again.
-- Instants are texts as everywhere, so written that they compare as texts.

create table if not exists users (
    id          text primary key,
    name        text not null unique,
    role        text not null,
    -- PHC string of Argon2id.
    password    text not null,
    created_at  text not null,
    disabled_at text
);

create table if not exists api_keys (
    id           text primary key,
    -- SHA-256 of the key, in hex: the key itself is random, so that a slow hash would protect nothing more.
    hash         text not null unique,
    prefix       text not null,
    name         text not null,
    tier         text not null,
    -- Parted by blanks.
    scopes       text not null,
    user_id      text,
    -- Limits of its own instead of its tier's.
    rate         text,
    created_at   text not null,
    expires_at   text,
    revoked_at   text,
    rotated_into text
);
create index if not exists api_keys_by_user on api_keys (user_id);

-- A sign-in with all that comes of it; ended when one of its refresh tokens comes a second time.
create table if not exists sessions (
    id            text primary key,
    user_id       text not null,
    created_at    text not null,
    expires_at    text not null,
    ended_at      text,
    ended_because text
);
create index if not exists sessions_by_user on sessions (user_id);

create table if not exists refresh_tokens (
    hash       text primary key,
    session_id text not null,
    created_at text not null,
    used_at    text
);
create index if not exists refresh_tokens_by_session on refresh_tokens (session_id);
