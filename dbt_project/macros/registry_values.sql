{#
    Values as ClinicalTrials.gov writes them, read without ever raising an error: what does not have
    the expected form is NULL, never a failed build. Arguments are SQL expressions of type text and
    may be evaluated several times.
#}

{# Integer; NULL for 'NA', '1,234', '12.5' and what exceeds nine digits. #}
{% macro as_integer(text) -%}
    case when {{ text }} ~ '^-?\d{1,9}$' then ({{ text }})::integer end
{%- endmacro %}


{# Integer of eight bytes: sizes of files. #}
{% macro as_bigint(text) -%}
    case when {{ text }} ~ '^-?\d{1,18}$' then ({{ text }})::bigint end
{%- endmacro %}


{# A number, if the whole text is one; NULL for 'NA', '<0.001' and '1,234'. #}
{% macro as_numeric(text) -%}
    case
        when {{ text }} ~ '^\s*[-+]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][-+]?\d{1,2})?\s*$'
            then ({{ text }})::numeric
    end
{%- endmacro %}


{# Degrees of latitude or longitude, in AACT's numeric(10,6). #}
{% macro as_degrees(text) -%}
    (case when {{ text }} ~ '^-?\d{1,3}(\.\d+)?$' then ({{ text }})::numeric end)::numeric(10, 6)
{%- endmacro %}


{# Boolean; the registry's older records write Yes and No. #}
{% macro as_boolean(text) -%}
    case
        when lower({{ text }}) in ('true', 't', 'yes', 'y') then true
        when lower({{ text }}) in ('false', 'f', 'no', 'n') then false
    end
{%- endmacro %}


{# AACT's text for a boolean: Yes, No or NULL. #}
{% macro yes_or_no(text) -%}
    (case {{ as_boolean(text) }} when true then 'Yes' when false then 'No' end)::varchar
{%- endmacro %}


{#
    The date that a full or partial date stands for, by AACT's rule: a month is its last day, a year
    its 31 December. Impossible dates (2019-02-30) are NULL. Days up to the 28th exist in any month
    and go the short way.
#}
{% macro partial_date(text) -%}
    case
        when {{ text }} ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$' then ({{ text }})::date
        when {{ text }} ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(29|3[01])$' then
            case
                when right({{ text }}, 2)::integer <= date_part('day', {{ last_day_of_month(text) }})
                    then ({{ text }})::date
            end
        when {{ text }} ~ '^[12]\d{3}-(0[1-9]|1[0-2])$' then {{ last_day_of_month(text) }}
        when {{ text }} ~ '^[12]\d{3}$' then make_date(({{ text }})::integer, 12, 31)
    end
{%- endmacro %}


{# The same, but a month is its first day: AACT's rule for dates on which results are expected. #}
{% macro first_of_month(text) -%}
    case
        when {{ text }} ~ '^[12]\d{3}-(0[1-9]|1[0-2])$' then (({{ text }}) || '-01')::date
        else {{ partial_date(text) }}
    end
{%- endmacro %}


{# A moment to the minute, as 2020-01-31T13:45; NULL for what is none. #}
{% macro as_timestamp(text) -%}
    case
        when {{ text }} ~ '^[12]\d{3}-(0[1-9]|1[0-2])-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$'
            then {{ partial_date('left(' ~ text ~ ', 10)') }} + substr({{ text }}, 12)::time
    end
{%- endmacro %}


{% macro last_day_of_month(text) -%}
    ((left({{ text }}, 7) || '-01')::date + interval '1 month' - interval '1 day')::date
{%- endmacro %}


{# 'day', 'month' or 'year': how much of the date the sponsor gave. NULL where there is no date. #}
{% macro date_precision(text, date) -%}
    case when {{ date }} is not null then
        case length({{ text }}) when 10 then 'day' when 7 then 'month' else 'year' end
    end
{%- endmacro %}


{# '6 Months' is 6. #}
{% macro age_number(text) -%}
    substring({{ text }} from '^\s*(\d{1,9})\s+[[:alpha:]]+\s*$')::integer
{%- endmacro %}


{# '6 Months' is 'month'. #}
{% macro age_unit(text) -%}
    rtrim(lower(substring({{ text }} from '^\s*\d{1,9}\s+([[:alpha:]]+)\s*$')), 's')::varchar
{%- endmacro %}
