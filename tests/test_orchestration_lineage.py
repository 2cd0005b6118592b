"""Column lineage, read from SQL of the kinds that the models are written in."""

import pytest

from orchestration.lineage import column_lineage

STUDIES = {"raw_ctgov.studies": ["nct_id", "loaded_at", "payload"]}
INCREMENTAL = """
with source as (
    select nct_id, loaded_at, payload || '{}' as payload from "bioloupe"."raw_ctgov"."studies"
    where loaded_at > (select loaded_after from intermediate.staging_watermarks where relation = 'ctgov.conditions')
    offset 0
), unnested as (
    select source.nct_id, item.position, (item.value #>> '{}')::varchar as name from source
    cross join lateral
        jsonb_path_query(source.payload #> '{conditions}', '$[*]') with ordinality as item (value, position)
), renamed as (
    select md5(concat_ws(chr(31), nct_id, name))::varchar as id, nct_id, name, 'x' as kind from unnested
)
select * from renamed
"""


def test_an_incremental_model_s_columns_come_from_the_record() -> None:
    found = column_lineage(INCREMENTAL, STUDIES)
    assert list(found) == ["id", "nct_id", "name", "kind"]
    assert found["nct_id"] == [("raw_ctgov.studies", "nct_id")]
    assert set(found["id"]) >= {("raw_ctgov.studies", "nct_id")}
    assert found["kind"] == []


def test_joins_aggregates_and_columns_named_without_a_table() -> None:
    query = """
    select s.nct_id, brief_title, count(*) filter (where c.name = 'x') as hits, max(c.name) over () as last
    from "db"."ctgov"."studies" as s left join "db"."ctgov"."conditions" as c using (nct_id) group by 1, 2, c.name
    """
    tables = {"ctgov.studies": ["nct_id", "brief_title"], "ctgov.conditions": ["nct_id", "name"]}
    found = column_lineage(query, tables)
    assert found["brief_title"] == [("ctgov.studies", "brief_title")]
    assert found["last"] == [("ctgov.conditions", "name")]


def test_tables_that_are_no_asset_are_left_out() -> None:
    assert column_lineage("select a from other.t", STUDIES) == {"a": []}


def test_what_is_no_query_is_an_error_of_sqlglot() -> None:
    from sqlglot.errors import SqlglotError

    with pytest.raises(SqlglotError):
        column_lineage("select from where (", STUDIES)


def test_a_whole_row_of_columns_that_nobody_named_is_not_an_error() -> None:
    query = """
    with kept as (select * from "db"."ctgov"."undescribed"), last as (select to_jsonb(kept.*) as document from kept)
    select document, count(*) over () as rows from last
    """
    assert column_lineage(query, {"ctgov.undescribed": []}) == {"document": [], "rows": []}
