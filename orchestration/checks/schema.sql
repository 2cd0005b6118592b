-- What each table looked like whenever it was examined: what the anomaly checks compare with.
create table if not exists checks.table_history (
    relation text not null,
    observed_at timestamptz not null default clock_timestamp(),
    row_count bigint not null,
    columns jsonb not null, -- {"name": {"type": "text", "filled": 120}}, in the table's order
    verdict text not null check (verdict in ('passed', 'held', 'accepted')),
    reason text,
    run_id text,
    primary key (relation, observed_at)
);

comment on table checks.table_history is
'One row per examination of a table by the anomaly checks. Those that were held back are never compared with.';
comment on column checks.table_history.relation is 'The table, as schema.name.';
comment on column checks.table_history.row_count is 'Rows that it had.';
comment on column checks.table_history.columns is 'Its columns: type, and how many rows have a value.';
comment on column checks.table_history.verdict is
'passed: no check failed; held: one did, with severity error; accepted: an operator said that it is right.';
comment on column checks.table_history.reason is 'What was found, or why it was accepted.';
comment on column checks.table_history.run_id is 'The Dagster run that examined it.';

-- Fields of loaded studies that this project does not know: what the check for new fields has found so far.
create table if not exists checks.unknown_fields (
    path text not null,
    nct_id text not null,
    primary key (nct_id, path)
);

comment on table checks.unknown_fields is
'One row per study and field of its record that is neither staged nor listed with a reason, as of its last load.';
comment on column checks.unknown_fields.path is 'Path of the field, without marks of lists.';

create table if not exists checks.unknown_fields_read (
    read_until timestamptz not null,
    the_only_row boolean primary key default true check (the_only_row)
);

comment on table checks.unknown_fields_read is 'One row: the load up to which studies were searched for such fields.';
