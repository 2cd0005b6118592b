{# CTEs that end in `facilities`: the sites of `source` with their ids, places and contacts (a list as JSON). #}
{% macro identified_facilities() -%}
locations as (

    select
        source.nct_id,
        item.position,
        (item.value ->> 'status')::varchar as status,
        (item.value ->> 'facility')::varchar as name,
        (item.value ->> 'city')::varchar as city,
        (item.value ->> 'state')::varchar as state,
        (item.value ->> 'zip')::varchar as zip,
        (item.value ->> 'country')::varchar as country,
        item.value #>> '{geoPoint,lat}' as latitude,
        item.value #>> '{geoPoint,lon}' as longitude,
        item.value -> 'contacts' as contacts
    from source
    cross join lateral {{ json_items("source.payload #> '{protocolSection,contactsLocationsModule,locations}'") }}
    {{ evaluate_once() }}

),

facilities as (

    select
        {{ surrogate_id(['nct_id', 'name', 'city', 'state', 'zip', 'country'], position='position') }} as facility_id,
        locations.*
    from locations
    {{ evaluate_once() }}

)
{%- endmacro %}


{# Whether a site's contact conducts the study there; the others are whom to ask. AACT's rule. #}
{% macro is_investigator(role) -%}
    coalesce({{ role }}, '') ~* 'investigator|study.chair'
{%- endmacro %}
