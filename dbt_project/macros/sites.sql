{# CTEs that end in `facilities (facility_id, nct_id, contacts)`: the sites of `source` and whom they list. #}
{% macro identified_facilities() -%}
locations as (

    select
        source.nct_id,
        item.position,
        item.value ->> 'facility' as name,
        item.value ->> 'city' as city,
        item.value ->> 'state' as state,
        item.value ->> 'zip' as zip,
        item.value ->> 'country' as country,
        item.value -> 'contacts' as contacts
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}
    {{ evaluate_once() }}

),

-- the same key as in stg_ctgov__facilities
facilities as (

    select
        {{ surrogate_id(['nct_id', 'name', 'city', 'state', 'zip', 'country'], position='position') }} as facility_id,
        nct_id,
        contacts
    from locations
    {{ evaluate_once() }}

)
{%- endmacro %}


{# Whether a site's contact conducts the study there; the others are whom to ask. AACT's rule. #}
{% macro is_investigator(role) -%}
    coalesce({{ role }}, '') ~* 'investigator|study.chair'
{%- endmacro %}
