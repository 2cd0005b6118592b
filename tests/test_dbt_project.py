"""What can be said of the dbt project from its files alone: everything described, everything called as in AACT."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
STAGING = PROJECT / "models" / "staging" / "ctgov"
MODELS = sorted(PROJECT.glob("models/**/*.sql"), key=lambda path: path.stem)
AACT_TABLES = {
    "baseline_counts": 7,
    "baseline_measurements": 22,
    "brief_summaries": 3,
    "browse_conditions": 5,
    "browse_interventions": 5,
    "calculated_values": 19,
    "central_contacts": 8,
    "conditions": 4,
    "countries": 4,
    "design_group_interventions": 4,
    "design_groups": 5,
    "design_outcomes": 7,
    "designs": 14,
    "detailed_descriptions": 3,
    "documents": 6,
    "drop_withdrawals": 10,
    "eligibilities": 14,
    "facilities": 10,
    "facility_contacts": 8,
    "facility_investigators": 5,
    "id_information": 7,
    "intervention_other_names": 4,
    "interventions": 5,
    "ipd_information_types": 3,
    "keywords": 4,
    "links": 4,
    "milestones": 10,
    "outcome_analyses": 25,
    "outcome_analysis_groups": 5,
    "outcome_counts": 8,
    "outcome_measurements": 21,
    "outcomes": 13,
    "overall_officials": 5,
    "participant_flows": 5,
    "pending_results": 5,
    "provided_documents": 8,
    "reported_event_totals": 9,
    "reported_events": 17,
    "responsible_parties": 8,
    "result_agreements": 7,
    "result_contacts": 7,
    "result_groups": 7,
    "retractions": 5,
    "sponsors": 5,
    "studies": 71,
    "study_references": 5,
}
# What AACT leaves out and repeats within a study.
OWN_TABLES = {"browse_branches", "browse_leaves", "submission_infos", "violation_events"}
NOT_IN_AACT = {
    "browse_conditions": {"mesh_id"},
    "browse_interventions": {"mesh_id"},
    "calculated_values": {"number_of_subjects_with_nsae", "number_of_subjects_with_sae"},
    "design_groups": {"intervention_names"},
    "eligibilities": {"predicted_maximum_bmi", "predicted_minimum_bmi"},
    "facility_contacts": {"role"},
    "facility_investigators": {"email", "phone", "phone_extension"},
    "milestones": {"achievement_comment"},
    "outcome_analyses": {"ci_lower_limit_na_comment", "param_value_raw", "tested_non_inferiority"},
    "outcome_measurements": {"number_analyzed", "number_analyzed_units"},
    "outcomes": {"calculate_percentage", "denominator_units", "reporting_status"},
    "pending_results": {"event_date_unknown", "responsible_party"},
    "provided_documents": {"filename", "no_sap", "size_bytes", "type_abbrev", "uploaded_at"},
    "reported_event_totals": {"all_cause_mortality_comment"},
    "reported_events": {"notes"},
    "studies": {
        "deleted_at",
        "estimated_results_first_submitted_date",
        "expanded_access_references",
        "first_mcp_posted_date",
        "first_mcp_posted_date_type",
        "has_results",
        "results_waived",
        "version_holder_date",
    },
}
# A hash needs more than AACT's 32 bits.
IDS = {
    "id",
    "design_group_id",
    "facility_id",
    "intervention_id",
    "outcome_analysis_id",
    "outcome_id",
    "reference_id",
    "result_group_id",
}


def properties(model: Path) -> dict[str, Any]:
    """The model's entry in the file beside it."""
    (entry,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
    assert entry["name"] == model.stem
    return dict(entry)


def columns(table: str) -> dict[str, str]:
    """Column name to type of a staged table."""
    entry = properties(STAGING / f"stg_ctgov__{table}.sql")
    return {column["name"]: column["data_type"] for column in entry["columns"]}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_every_model_and_column_is_described_and_typed(model: Path) -> None:
    entry = properties(model)
    assert len(entry["description"]) > 20
    for column in entry["columns"]:
        assert column.get("description"), f"{model.stem}.{column['name']} has no description"
        assert column.get("data_type"), f"{model.stem}.{column['name']} has no type"


def test_doc_blocks_exist_and_are_used() -> None:
    written = {
        name for file in PROJECT.glob("models/**/*.md") for name in re.findall(r"{% docs (\w+) %}", file.read_text())
    }
    used = {
        name for file in PROJECT.glob("models/**/*.yml") for name in re.findall(r"doc\('(\w+)'\)", file.read_text())
    }
    assert written == used


def test_all_tables_of_a_study_are_staged() -> None:
    staged = {model.stem.removeprefix("stg_ctgov__") for model in STAGING.glob("*.sql")}
    assert staged == AACT_TABLES.keys() | OWN_TABLES


@pytest.mark.parametrize(("table", "count"), AACT_TABLES.items())
def test_a_table_has_all_of_aacts_columns(table: str, count: int) -> None:
    assert len(columns(table).keys() - NOT_IN_AACT.get(table, set())) == count
    assert columns(table)["nct_id"] == "varchar"


@pytest.mark.parametrize("table", AACT_TABLES)
def test_names_and_types_are_aacts(table: str, shared: Path) -> None:
    with (shared / "aact_schema.csv").open() as file:
        aact = {row["column"]: row["type"] for row in csv.DictReader(file) if row["table"] == table}
    staged = {name: kind for name, kind in columns(table).items() if name not in NOT_IN_AACT.get(table, set())}
    assert staged == {name: "bigint" if name in IDS else kind for name, kind in aact.items()}


@pytest.mark.parametrize("model", sorted(STAGING.glob("*.sql")), ids=lambda model: model.stem)
def test_staging_models_read_changed_studies_only(model: Path) -> None:
    text = model.read_text()
    # Two readings of the results cost less than one that is kept: see the model.
    readings = 2 if model.stem == "stg_ctgov__result_groups" else 1
    assert len(re.findall(r"{{ changed_studies\((section='\w+')?\) }}", text)) == readings
    assert "source(" not in text
    assert "ref(" not in text


def test_sources_have_freshness() -> None:
    (source,) = yaml.safe_load((STAGING / "_ctgov__sources.yml").read_text())["sources"]
    configured = {table["name"]: table.get("config", {}) for table in source["tables"]}
    assert set(configured) == {"studies", "rejected_studies", "registry_versions", "reconciliations"}
    assert "registry_versions" in configured["studies"]["loaded_at_query"]
    assert "error_after" in configured["studies"]["freshness"]
