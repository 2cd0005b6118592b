{#
    Each study's current version is its only one, has no end, and begins where the version before it ended. Older ones
    were current once, and tested then.
#}
{% test versions_follow_one_another(model) %}

    select
        later.nct_id,
        later.version
    from {{ model }} as later
    left join {{ model }} as earlier
        on later.nct_id = earlier.nct_id and later.version = earlier.version + 1
    where
        later.is_current
        and (
            later.valid_to is not null
            or later.version > 1 and (earlier.is_current or earlier.valid_to is distinct from later.valid_from)
        )

{% endtest %}
