{# Free text as it is sent to a language model and hashed: trimmed, runs of white space as one space; NULL if empty. #}
{% macro normalized_text(text) -%}
    nullif(btrim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}


{# The key under which answers to a text are stored: hex SHA-256 of its UTF-8 bytes. #}
{% macro text_hash(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}
