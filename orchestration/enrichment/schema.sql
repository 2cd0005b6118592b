-- What was read in free text, and what it cost. Applied at every start, so each statement may be run again.
create schema if not exists enrichment;

create table if not exists enrichment.stop_reasons (
    task text not null,
    version text not null,
    model text not null,
    text_hash text not null,
    text text not null,
    stop_reason text,
    second_reason text,
    evidence text,
    confidence text check (confidence in ('high', 'medium', 'low')),
    method text not null,
    status text not null check (status in ('answered', 'failed')),
    error text,
    answered_at timestamptz not null default now(),
    primary key (task, version, model, text_hash),
    check ((status = 'answered') = (stop_reason is not null and evidence is not null and confidence is not null))
);

create table if not exists enrichment.llm_calls (
    call_id bigint generated always as identity primary key,
    task text not null,
    version text not null,
    model text not null,
    text_hash text not null,
    attempt integer not null,
    status text not null check (status in ('ok', 'invalid', 'refused', 'error')),
    error text,
    prompt_tokens integer,
    completion_tokens integer,
    cached_tokens integer,
    latency_ms integer not null,
    cost_usd numeric,
    called_at timestamptz not null,
    run_id text
);

create index if not exists llm_calls_called_at on enrichment.llm_calls (called_at);
create index if not exists stop_reasons_text_hash on enrichment.stop_reasons (text_hash);

comment on table enrichment.stop_reasons is
'Why a study was stopped, one row per distinct text, version of the question and model.';
comment on table enrichment.llm_calls is
'The ledger: every call to a language model. cost_usd is NULL where the model''s price is not known.';
