{# Names of the United States and its territories in the registry's list of countries. #}
{% macro us_countries() -%}
    (
        'United States', 'Guam', 'Puerto Rico', 'U.S. Virgin Islands', 'Virgin Islands (U.S.)',
        'Northern Mariana Islands', 'American Samoa', 'Midway Atoll', 'Palmyra Atoll', 'Baker Island',
        'Howland Island', 'Jarvis Island', 'Johnston Atoll', 'Kingman Reef', 'Wake Island',
        'Navassa Island', 'Serranilla Bank', 'Bajo Nuevo Bank'
    )
{%- endmacro %}


{# Subjects affected by a study's adverse events of one kind, summed over terms and groups; NULL without any. #}
{% macro subjects_affected(events) -%}
    select sum({{ as_integer("affected #>> '{}'") }})::integer as subjects_affected
    from jsonb_path_query(
        source.payload, '$.resultsSection.adverseEventsModule.{{ events }}[*].stats[*].numAffected'
    ) as affected
{%- endmacro %}
