"""The tables that loads write beside those that dlt makes, and the triggers that order their times.

A reader who remembers the latest `loaded_at` that it saw must find later everything that commits after. So the time is
not given when a record is read but when its row is written, by a trigger: under a lock that is held until the commit,
and later than every time that was committed before. No writer, not even one by hand, can commit a row behind a reader.
"""

from psycopg2.extensions import cursor as Cursor

LOCKS = 0x62696F6C
STAMP_LOCK = 1
# Looked for first: `create schema if not exists` needs the right to create one even where it exists.
SCHEMAS = """
do $$ declare missing text; begin
    for missing in
        select name from unnest(array['raw_ctgov', 'raw_ctgov_staging']) as name where to_regnamespace(name) is null
    loop
        execute format('create schema %I', missing);
    end loop;
end $$
"""
TABLES = """
create table if not exists raw_ctgov.studies (
    nct_id text primary key,
    last_update_post_date date,
    content_hash text not null,
    payload jsonb not null,
    loaded_at timestamptz not null,
    deleted_at timestamptz,
    found_by text,
    _dlt_load_id text not null
);
create table if not exists raw_ctgov.rejected_studies (
    nct_id text,
    reason text not null,
    payload text not null,
    content_hash text primary key,
    loaded_at timestamptz not null,
    _dlt_load_id text not null
);
create table if not exists raw_ctgov_staging.studies (like raw_ctgov.studies);
create table if not exists raw_ctgov_staging.last_used (
    single boolean primary key default true check (single),
    pipeline_name text not null
);
create table if not exists raw_ctgov.reconciliations (
    began_at timestamptz primary key,
    finished_at timestamptz not null,
    data_timestamp text,
    api_url text not null,
    scope text,
    studies_total bigint,
    studies_read bigint not null,
    missed_new bigint not null,
    missed_changes bigint not null,
    silent_changes bigint not null,
    not_due bigint not null,
    gone bigint not null,
    returned bigint not null,
    rejected bigint not null,
    held_back bigint not null,
    note text
);
create table if not exists raw_ctgov.reconciliation_ids (began_at timestamptz not null, nct_numbers integer[] not null);
"""
# Only one record in seven has results: without the second index, each of the tables made of results would have every
# record decompressed to find out which those are.
INDEXES = """
create index if not exists studies_loaded_at on raw_ctgov.studies (loaded_at);
create index if not exists studies_with_results on raw_ctgov.studies (loaded_at) where payload ? 'resultsSection';
"""
# Tables of before the column existed. Asked first: `add column if not exists` locks every reader out to find out.
ADD_FOUND_BY = """
do $$
declare studies regclass;
begin
    for studies in
        select t from unnest(array['raw_ctgov.studies', 'raw_ctgov_staging.studies']::regclass[]) t
        where not exists (select from pg_attribute where attrelid = t and attname = 'found_by' and not attisdropped)
    loop
        execute format('alter table %s add column if not exists found_by text', studies);
    end loop;
end $$
"""
SET_LZ4 = """
do $$
declare studies regclass;
begin
    for studies in
        select attrelid from pg_attribute
        where attrelid in ('raw_ctgov.studies'::regclass, 'raw_ctgov_staging.studies'::regclass)
          and attname = 'payload' and attcompression <> 'l'
    loop
        execute format('alter table %s alter column payload set compression lz4', studies);
    end loop;
end $$
"""

_BEGIN_STAMP = f"""
begin
    if coalesce(current_setting('bioloupe.stamp', true), '') = '' then
        perform pg_advisory_xact_lock({LOCKS}, {STAMP_LOCK});
        -- A statement of its own, so that it sees what was committed while this transaction waited.
        perform set_config('bioloupe.stamp', (
            select greatest(clock_timestamp(), max(loaded_at) + interval '1 microsecond')::text from raw_ctgov.studies
        ), true);
    end if;
    return null;
end
"""
# A load's row comes with the time at which its batch began to read. Where the stored one is younger than that and its
# record no older, another load has been there with content that is as good or better.
_STAMP = """
begin
    if tg_op = 'UPDATE' then
        if new.loaded_at is not distinct from old.loaded_at then
            return new;
        end if;
        if new._dlt_load_id <> old._dlt_load_id and old.loaded_at >= new.loaded_at
            and coalesce(old.last_update_post_date, '-infinity') >= coalesce(new.last_update_post_date, '-infinity')
        then
            return null;
        end if;
    end if;
    new.loaded_at := greatest(new.loaded_at, current_setting('bioloupe.stamp')::timestamptz);
    return new;
end
"""
_FUNCTIONS = {"begin_stamp": (_BEGIN_STAMP, "statement"), "stamp_study": (_STAMP, "row")}


def ensure(cursor: Cursor) -> None:
    """Create what is missing. Tables that are there are asked before they are altered: altering locks readers out.

    Payloads are compressed by lz4 where the server can: pglz costs twice the time. The merge moves compressed values
    as they are, so the table that dlt copies into needs the setting as well.
    """
    cursor.execute(SCHEMAS)
    cursor.execute(TABLES)
    cursor.execute(INDEXES)
    cursor.execute(ADD_FOUND_BY)
    cursor.execute("select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'")
    if cursor.fetchone() == (True,):
        cursor.execute(SET_LZ4)
    for name, (body, unit) in _FUNCTIONS.items():
        cursor.execute("select prosrc from pg_proc where oid = to_regprocedure(%s)", (f"raw_ctgov.{name}()",))
        if cursor.fetchone() != (body,):
            cursor.execute(
                f"create or replace function raw_ctgov.{name}() returns trigger language plpgsql as $body${body}$body$;"
                f"create or replace trigger {name} before insert or update on raw_ctgov.studies "
                f"for each {unit} execute function raw_ctgov.{name}()"
            )
