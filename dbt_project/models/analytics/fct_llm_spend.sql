select
    (called_at at time zone 'UTC')::date as day,
    task,
    model,
    count(*)::integer as calls,
    (count(*) filter (where status <> 'ok'))::integer as failed_calls,
    coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
    coalesce(sum(cached_tokens), 0)::bigint as cached_tokens,
    coalesce(sum(completion_tokens), 0)::bigint as completion_tokens,
    sum(cost_usd)::numeric(14, 6) as cost_usd,
    (count(*) filter (where cost_usd is null))::integer as unpriced_calls,
    avg(latency_ms)::numeric(12, 1) as average_ms
from {{ source('enrichment', 'llm_calls') }}
group by 1, 2, 3
