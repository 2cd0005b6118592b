{# Whether one of a list of locations is in the United States or its territories. #}
{% macro has_us_location(locations) -%}
    {%- set countries = [
        'United States', 'Guam', 'Puerto Rico', 'U.S. Virgin Islands', 'Virgin Islands (U.S.)',
        'Northern Mariana Islands', 'American Samoa', 'Midway Atoll', 'Palmyra Atoll', 'Baker Island',
        'Howland Island', 'Jarvis Island', 'Johnston Atoll', 'Kingman Reef', 'Wake Island',
        'Navassa Island', 'Serranilla Bank', 'Bajo Nuevo Bank',
    ] -%}
    jsonb_path_exists({{ locations }}, '$[*] ? (@.country == "{{ countries | join('" || @.country == "') }}")')
{%- endmacro %}


{# Subjects affected by a study's adverse events of one kind, summed over terms and groups; NULL without any. #}
{% macro subjects_affected(module, events) -%}
    (
        select {{ as_integer("sum(" ~ as_integer("item.affected #>> '{}'") ~ ")::text") }}
        from jsonb_path_query({{ module }}, '$.{{ events }}[*].stats[*].numAffected') as item (affected)
    )
{%- endmacro %}


{# Subjects with an adverse event of one kind, as a study states it per group, summed over groups; NULL where it does not. #}
{% macro subjects_with_events(module, kind) -%}
    (
        select {{ as_integer("sum(" ~ as_integer("item.affected #>> '{}'") ~ ")::text") }}
        from jsonb_path_query({{ module }}, '$.eventGroups[*].{{ kind }}NumAffected') as item (affected)
    )
{%- endmacro %}
