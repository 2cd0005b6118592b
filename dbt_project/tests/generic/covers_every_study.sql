{#
    The model has a row for each study of the raw layer that its last run covered, and for no other:
    nothing was lost between loading and staging.
#}
{% test covers_every_study(model) %}

    select
        raw.nct_id as only_in_raw,
        model.nct_id as only_in_model
    from {{ source('raw_ctgov', 'studies') }} as raw
    full join {{ model }} as model on raw.nct_id = model.nct_id
    where
        model.nct_id is null and raw.loaded_at <= (
            select loaded_until from {{ watermarks() }}
            where relation = '{{ model.schema }}.{{ model.identifier }}'
        )
        or raw.nct_id is null

{% endtest %}
