"""What an incremental run does where the contract settles the columns: one insert, or an error with the remedy."""

from pathlib import Path

import pytest

from tests.dbt_warehouse import DbtWarehouse

pytestmark = pytest.mark.integration

BROKEN = ("conditions", "keywords", "design_groups")
BREAK = """
alter table ctgov.conditions drop column downcase_name;
alter table ctgov.keywords alter column downcase_name type text;
alter table ctgov.design_groups add column leftover integer;
"""
RENEW = "update raw_ctgov.studies set loaded_at = now() where nct_id in (select nct_id from ctgov.{} limit 5)"
RENEWED = "select nct_id from raw_ctgov.studies where loaded_at = (select max(loaded_at) from raw_ctgov.studies)"
WINDOWS = "select * from intermediate.staging_watermarks where relation = 'ctgov.{}'"
VERSIONS = "select nct_id, xmin::text, ctid::text from ctgov.{} order by 1, 2, 3"
CONTENT = "select nct_id, id, {} from ctgov.{} order by 1, 2"
COMMENTS = """
select objsubid, description from pg_description where objoid = 'ctgov.conditions'::regclass order by 1
"""
VERSION_COLUMNS = """
select column_name from information_schema.columns
where table_schema = 'analytics' and table_name = 'dim_trial_versions'
"""


@pytest.fixture
def warehouse(filled_warehouse_url: str, tmp_path: Path) -> DbtWarehouse:
    return DbtWarehouse(filled_warehouse_url, tmp_path)


def selected(*tables: str) -> tuple[str, ...]:
    return ("--select", *(f"stg_ctgov__{table}" for table in tables))


def state(warehouse: DbtWarehouse, statement: str) -> list[object]:
    return [warehouse.rows(statement.format(table)) for table in BROKEN]


def test_a_table_with_other_columns_than_its_contract_is_left_alone_and_the_remedy_is_named(
    warehouse: DbtWarehouse,
) -> None:
    names = warehouse.rows(CONTENT.format("downcase_name", "conditions"))
    warehouse.execute(BREAK + RENEW.format("conditions"))
    rows, windows = state(warehouse, VERSIONS), state(warehouse, WINDOWS)

    output = warehouse.dbt("run", *selected(*BROKEN)).stdout
    assert '"ctgov"."conditions" has other columns than its contract: downcase_name (' in output
    assert "downcase_name (contract: character varying, table: none)" in output
    assert (
        'keywords" has other columns than its contract: downcase_name (contract: character varying, table: text)'
        in output
    )
    assert "leftover (contract: none, table: integer)" in output
    assert "ERROR=3" in output
    assert (state(warehouse, VERSIONS), state(warehouse, WINDOWS)) == (rows, windows)

    assert "dbt run --full-refresh --select stg_ctgov__conditions+" in output
    warehouse.run("--full-refresh", *selected(*BROKEN))
    assert warehouse.rows(CONTENT.format("downcase_name", "conditions")) == names


def test_a_night_writes_the_changed_studies_in_one_insert_and_renews_old_comments(warehouse: DbtWarehouse) -> None:
    names, comments = warehouse.rows(CONTENT.format("name", "keywords")), warehouse.rows(COMMENTS)
    versions = set(warehouse.rows(VERSIONS.format("keywords")))
    warehouse.execute("comment on column ctgov.conditions.name is 'old'; comment on table ctgov.conditions is null;")
    warehouse.execute(RENEW.format("keywords"))
    renewed = {nct_id for (nct_id,) in warehouse.rows(RENEWED)}

    warehouse.run(*selected("conditions", "keywords"))
    assert warehouse.rows(CONTENT.format("name", "keywords")) == names
    assert {row[0] for row in set(warehouse.rows(VERSIONS.format("keywords"))) - versions} == renewed
    assert warehouse.rows(COMMENTS) == comments

    log = (warehouse.scratch / "logs" / "dbt.log").read_text()
    assert log.count('insert into "') == 2
    assert "create temporary table" not in log
    assert log.count("comment on column") > 0


def test_models_that_ask_for_more_are_left_to_dbt(warehouse: DbtWarehouse) -> None:
    """dim_trial_versions appends new columns instead of failing, and is never rebuilt."""
    columns, rows = warehouse.rows(VERSION_COLUMNS), warehouse.rows("select count(*) from analytics.dim_trial_versions")
    warehouse.execute("alter table analytics.dim_trial_versions drop column found_by")
    warehouse.run("--select", "dim_trial_versions")
    assert sorted(warehouse.rows(VERSION_COLUMNS)) == sorted(columns)
    assert warehouse.rows("select count(*) from analytics.dim_trial_versions") == rows
