-- What teams watch. Applied at every start, so each statement may be run again.
create table if not exists watchlists.watchlists (
    slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title text not null,
    terms text[] not null default '{}',
    conditions text[] not null default '{}',
    drugs text[] not null default '{}',
    sponsors text[] not null default '{}',
    created_at timestamptz not null default now(),
    check (cardinality(terms || conditions || drugs || sponsors) > 0)
);

comment on table watchlists.watchlists is
'What a team watches: a trial matches where each of terms, conditions, drugs and sponsors that is not empty finds one.';
