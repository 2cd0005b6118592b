"""What synthetic studies look like: the registry's structure, vocabularies and distributions."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import orjson
import pytest

from ingest.sandbox.draws import Draw
from ingest.sandbox.population import Population
from ingest.sandbox.registry import SyntheticRegistry
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.study.record import facts_of
from ingest.sandbox.vocabulary import api_fields, conditions, descriptors, interventions_of

REASONS = {
    *("insufficient_enrollment", "business_administrative", "negative", "logistics_resources", "study_design"),
    *("invalid_reason", "study_staff_moved", "covid19", "another_study", "safety_sideeffects", "regulatory"),
    *("no_context", "interim_analysis", "endpoint_met", "insufficient_data", "ethical_reason", "success"),
}


@pytest.fixture(scope="module")
def rendered() -> list[bytes]:
    registry = SyntheticRegistry(4, 1000, 0)
    return [registry.render(index) for index in registry.by_index]


@pytest.fixture(scope="module")
def studies(rendered: list[bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(record) for record in rendered]


@pytest.fixture(scope="module")
def stopped() -> list[Facts]:
    population, draw = Population(2, 20_000, 0), Draw()
    wanted = {"TERMINATED", "WITHDRAWN", "SUSPENDED"}
    return [facts_of(population, i, draw) for i in range(20_000) if population.outline(i).status in wanted]


def paths(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{prefix}{name}"
            yield from paths(value, f"{prefix}{name}.")
    elif isinstance(node, list):
        for item in node:
            yield from paths(item, prefix)


def test_records_have_only_fields_of_the_api_and_most_of_them(studies: list[dict[str, Any]]) -> None:
    known = {field.path for field in api_fields()}
    seen = {path for study in studies for path in paths(study)}
    # Coordinates are one value to the API's own description.
    assert {path for path in seen - known if "geoPoint." not in path} == set()
    assert len(seen) > 0.6 * len(known)


def test_sizes_have_the_registry_s_middle_and_its_heavy_tail(rendered: list[bytes]) -> None:
    sizes = sorted(map(len, rendered))
    assert 10_000 < median(sizes) < 14_500
    assert 19_000 < mean(sizes) < 30_000
    assert 55_000 < sizes[int(0.95 * len(sizes))] < 130_000
    assert sizes[-1] > 400_000


def test_statuses_sponsors_and_phases_have_the_registry_s_shares(studies: list[dict[str, Any]]) -> None:
    protocols = [study["protocolSection"] for study in studies]

    def share(values: list[Any], value: Any) -> float:
        return values.count(value) / len(values)

    statuses = [p["statusModule"]["overallStatus"] for p in protocols]
    assert 0.4 < share(statuses, "COMPLETED") < 0.54
    assert 0.13 < share(statuses, "RECRUITING") < 0.24
    assert 0.04 < share(statuses, "TERMINATED") < 0.1
    sponsors = [p["sponsorCollaboratorsModule"]["leadSponsor"]["class"] for p in protocols]
    assert 0.24 < share(sponsors, "INDUSTRY") < 0.38
    phases = [tuple(p["designModule"].get("phases", ())) for p in protocols]
    assert 0.1 < share(phases, ()) < 0.17
    assert {("NA",), ("PHASE1", "PHASE2"), ("PHASE3",), ("EARLY_PHASE1",)} <= set(phases)
    assert 0.1 < mean(study["hasResults"] for study in studies) < 0.2
    assert all(study["hasResults"] == ("resultsSection" in study) for study in studies)


def test_dates_are_partial_typed_and_in_order(studies: list[dict[str, Any]]) -> None:
    starts = []
    for study in studies:
        status = study["protocolSection"]["statusModule"]
        days = [
            status.get(f"{name}DateStruct", {}).get("date") for name in ("start", "primaryCompletion", "completion")
        ]
        starts.append(days[0])
        present = [day for day in days if day]
        assert [day[:7] for day in present] == sorted(day[:7] for day in present)
        if status["overallStatus"] == "COMPLETED" and days[2]:
            assert days[2] <= status["lastUpdatePostDateStruct"]["date"]
    by_month = [start for start in starts if start and len(start) == 7]
    assert 0.2 < len(by_month) / len(starts) < 0.5
    typed = [study["protocolSection"]["statusModule"]["startDateStruct"].get("type") for study in studies]
    assert {"ACTUAL", "ESTIMATED", None} == set(typed)


def test_sites_are_mostly_one_and_sometimes_hundreds(studies: list[dict[str, Any]]) -> None:
    counts = [len(s["protocolSection"].get("contactsLocationsModule", {}).get("locations", ())) for s in studies]
    assert median(counts) == 1
    assert 6 < mean(counts) < 16
    assert max(counts) > 150


def test_ages_and_eligibility_are_written_as_in_the_registry(studies: list[dict[str, Any]]) -> None:
    modules = [study["protocolSection"]["eligibilityModule"] for study in studies]
    units = {module["minimumAge"].split()[1] for module in modules if "minimumAge" in module}
    assert {"Years", "Months"} <= units
    both = [
        m
        for m in modules
        if {"Inclusion Criteria:", "Exclusion Criteria:"} <= set(m["eligibilityCriteria"].split("\n"))
    ]
    assert len(both) > 0.95 * len(modules)
    assert any("\\<" in module["eligibilityCriteria"] for module in modules)
    assert all(module["stdAges"] for module in modules)


def test_results_have_odd_values_and_groups_that_restart(studies: list[dict[str, Any]]) -> None:
    results = [study["resultsSection"] for study in studies if study["hasResults"]]
    values = [
        m["value"] for r in results for o in r["outcomeMeasuresModule"]["outcomeMeasures"]
        for c in o.get("classes", ()) for k in c["categories"] for m in k["measurements"]
    ]  # fmt: skip
    assert "NA" in values
    assert all(isinstance(value, str) for value in values)
    assert any("analyses" in o for r in results for o in r["outcomeMeasuresModule"]["outcomeMeasures"])
    assert all(r["outcomeMeasuresModule"]["outcomeMeasures"][0]["type"] == "PRIMARY" for r in results)
    assert any(r["adverseEventsModule"].get("seriousEvents") for r in results)


def test_every_class_of_stop_reason_occurs_and_enrollment_leads(stopped: list[Facts]) -> None:
    reasons = Counter(facts.stop_reason.reason for facts in stopped if facts.stop_reason)
    assert set(reasons) <= REASONS
    assert len(reasons) >= 16
    (first, count), (second, _) = reasons.most_common(2)
    assert (first, second) == ("insufficient_enrollment", "business_administrative")
    assert 0.25 < count / sum(reasons.values()) < 0.45
    assert 0.88 < sum(reasons.values()) / len(stopped) < 0.96
    assert any(facts.stop_reason and facts.stop_reason.second for facts in stopped)


def test_stop_texts_are_common_and_short_or_long_and_unique(stopped: list[Facts]) -> None:
    texts = Counter(facts.stop_reason.text for facts in stopped if facts.stop_reason)
    assert texts.most_common(1)[0][1] >= 10
    assert len([text for text, count in texts.items() if count == 1]) > 0.4 * sum(texts.values())
    assert max(map(len, texts)) > 150
    assert min(map(len, texts)) < 10
    assert any(not text.isascii() for text in texts)
    assert not any("%" in text and "(" in text and ")s" in text for text in texts), "a word was not filled in"


def test_only_stopped_studies_say_why_and_withdrawn_ones_enrolled_nobody(studies: list[dict[str, Any]]) -> None:
    for study in studies:
        status = study["protocolSection"]["statusModule"]
        if "whyStopped" in status:
            assert status["overallStatus"] in ("TERMINATED", "WITHDRAWN", "SUSPENDED")
        if status["overallStatus"] == "WITHDRAWN":
            assert study["protocolSection"]["designModule"].get("enrollmentInfo", {}).get("count", 0) == 0


def test_mesh_terms_and_their_ancestors_are_known(studies: list[dict[str, Any]]) -> None:
    known = descriptors()
    with_terms = 0
    for study in studies:
        for module in ("conditionBrowseModule", "interventionBrowseModule"):
            browse = study["derivedSection"].get(module, {})
            with_terms += bool(browse) and module == "conditionBrowseModule"
            for entry in (*browse.get("meshes", ()), *browse.get("ancestors", ())):
                assert known[entry["id"]].term == entry["term"]
    assert 0.8 < with_terms / len(studies) < 0.97


def test_the_vocabulary_is_whole() -> None:
    known = descriptors()
    assert all(ancestor in known for descriptor in known.values() for ancestor in descriptor.ancestors)
    assert all(c.mesh_id in known for c in conditions().values if c.mesh_id)
    assert len([c for c in conditions().values if c.mesh_id]) >= 150
    drugs = {i.name: i for area in {c.area for c in conditions().values} for i in interventions_of(area, "DRUG")}
    assert len(drugs) >= 150
    assert all(item.mesh_id in known for item in drugs.values() if item.mesh_id)
    breast = known["D001943"]
    assert (breast.term, "D009369" in breast.ancestors) == ("Breast Neoplasms", True)


def test_distributions_against_the_real_registry_s(
    studies: list[dict[str, Any]], rendered: list[bytes], shared: Path
) -> None:
    real = json.loads((shared / "registry_statistics.json").read_text())["pooled"]
    statuses = Counter(study["protocolSection"]["statusModule"]["overallStatus"] for study in studies)
    for status, share in real["overall_status"].items():
        assert abs(statuses[status] / len(studies) - share) < 0.06, status
    classes = Counter(s["protocolSection"]["sponsorCollaboratorsModule"]["leadSponsor"]["class"] for s in studies)
    for name, share in real["lead_sponsor_class"].items():
        assert abs(classes[name] / len(studies) - share) < 0.05, name
    phases = Counter("|".join(s["protocolSection"]["designModule"].get("phases", ["(absent)"])) for s in studies)
    for name, share in real["phases"].items():
        assert abs(phases[name] / len(studies) - share) < 0.05, name
    sizes = sorted(map(len, rendered))
    for percent in (25, 50, 75, 90):
        assert 0.65 < sizes[len(sizes) * percent // 100] / real["json_bytes"][f"p{percent}"] < 1.5, percent
    with_results = mean(study["hasResults"] for study in studies)
    assert abs(with_results - real["hasResults_share"]) < 0.04
