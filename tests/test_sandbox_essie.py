"""The query language: what it parses to, what it refuses, what matches."""

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sandbox.api.errors import BadRequest
from ingest.sandbox.api.essie import And, Everything, Missing, Node, Not, Or, Range, Term, parse
from ingest.sandbox.api.matching import day_bounds, matcher

STUDY: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT90000001", "briefTitle": "A Trial of Metformin in Heart Failure"},
        "statusModule": {
            "overallStatus": "NOT_YET_RECRUITING",
            "startDateStruct": {"date": "2022-05"},
            "lastUpdatePostDateStruct": {"date": "2026-05-20"},
        },
        "conditionsModule": {"conditions": ["Heart Failure", "Diabetes Mellitus, Type 2"]},
        "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 120}},
        "eligibilityModule": {"minimumAge": "6 Months", "maximumAge": "16 Years"},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "University of Örebro", "class": "OTHER"}},
    },
    "hasResults": False,
}


def matches(expression: str, area: str | None = None) -> bool:
    return matcher(parse(expression, area)).matches(STUDY)


@pytest.mark.parametrize(
    "expression",
    [
        "AREA[Phase]PHASE2",
        "AREA[Phase](PHASE2 OR PHASE3)",
        "AREA[protocolSection.designModule.phases]phase1",
        "AREA[Phase:size]2",
        "AREA[OverallStatus]NOT_YET_RECRUITING",
        "AREA[StartDate]2022",
        "AREA[StartDate]RANGE[2022-05, MAX]",
        "AREA[StartDate]RANGE[05/01/2022,05/31/2022]",
        "AREA[LastUpdatePostDate]RANGE[2026-05-20,2026-05]",
        "AREA[MinimumAge]RANGE[MIN, 16 years] AND AREA[MaximumAge]RANGE[16 years, MAX]",
        "AREA[MinimumAge]RANGE[5 months, 30 weeks]",
        "AREA[EnrollmentCount]RANGE[100, 120]",
        "AREA[LeadSponsorName]örebro",
        "AREA[ResultsFirstPostDate]MISSING",
        "AREA[ConditionSearch]\"diabetes mellitus type 2\"",
        "AREA[HasResults]false",
        "heart failure",
        "metformin AND NOT placebo",
        "(stroke OR diabetes) AND EXPANSION[Term]metformin",
        "SEARCH[Location](AREA[Phase]PHASE1)",
        "NOT (stroke AND diabetes)",
        "stroke OR diabetes AND metformin",
        "ALL",
    ],
)  # fmt: skip
def test_matches(expression: str) -> None:
    assert matches(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "AREA[OverallStatus]RECRUITING",
        "AREA[StartDate]2021",
        "AREA[StartDate]RANGE[MIN,2022-04]",
        "AREA[LastUpdatePostDate]RANGE[2026-05-21,MAX]",
        "AREA[EnrollmentCount]RANGE[121,MAX]",
        "AREA[EnrollmentCount]12",
        "failure heart",
        "heart AND stroke",
        "(stroke OR diabetes) AND placebo",
        "NOT heart",
        "AREA[Phase]MISSING",
        "AREA[ResultsFirstPostDate]RANGE[MIN,MAX]",
    ],
)
def test_does_not_match(expression: str) -> None:
    assert not matches(expression)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("(heart", "`)` is missing"),
        ("heart)", "unexpected"),
        ("AND heart", "unexpected"),
        ("heart AND", "unexpected end"),
        ("NOT", "unexpected end"),
        ('"heart', "cannot be read"),
        ("AREA[Nonsense]x", "unknown area"),
        ("AREA[Phase", "cannot be read"),
        ("AREA[LastUpdatePostDate]RANGE[2026-05-20]", "two bounds"),
        ("RANGE[1,2]", "must follow AREA"),
        ("AREA[Phase]", "unexpected end"),
        ("(" * 200 + "a" + ")" * 200, "too complicated"),
    ],
)
def test_malformed_expressions_are_refused_with_the_reason(expression: str, complaint: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(f"`{expression}`: ")) as refused:
        parse(expression)
    assert complaint in str(refused.value)


@pytest.mark.parametrize("bounds", ["soon,MAX", "MIN,later", "2026-5,MAX"])
def test_bounds_that_a_field_cannot_have_are_refused(bounds: str) -> None:
    with pytest.raises(BadRequest):
        matcher(parse(f"AREA[LastUpdatePostDate]RANGE[{bounds}]"))


def test_not_binds_closer_than_and_and_and_closer_than_or() -> None:
    assert parse("a OR NOT b AND c") == Or((Term("a"), And((Not(Term("b")), Term("c")))))
    assert parse("AREA[Phase](a OR b) c d") == And((Or((Term("a", "Phase"), Term("b", "Phase"))), Term("c d")))


def test_a_date_range_is_taken_out_of_a_conjunction() -> None:
    changed = "AREA[LastUpdatePostDate]RANGE[2026-05,MAX]"
    assert day_bounds(parse(changed), "LastUpdatePostDate") == ("2026-05-01", None, None)
    assert day_bounds(parse(f"heart AND {changed}"), "LastUpdatePostDate") == ("2026-05-01", None, Term("heart"))
    assert day_bounds(parse(f"heart OR {changed}"), "LastUpdatePostDate") is None


words = st.text("abcxyz0123-", min_size=1, max_size=6).filter(lambda w: w not in ("-",))
leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Term, words, st.sampled_from([None, "Phase", "Condition", "BriefTitle"])),
    st.builds(Range, st.sampled_from([None, "2020"]), st.sampled_from([None, "2024-05"]), st.just("StartDate")),
    st.builds(Missing, st.sampled_from(["Phase", "WhyStopped"])),
    st.just(Everything()),
)
trees = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.lists(parts, min_size=2, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(parts, min_size=2, max_size=3).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=8,
)


def written(node: Node) -> str:
    if isinstance(node, Term):
        return f"AREA[{node.area}]{node.words}" if node.area else node.words
    if isinstance(node, Range):
        return f"AREA[{node.area}]RANGE[{node.low or 'MIN'}, {node.high or 'MAX'}]"
    if isinstance(node, Missing):
        return f"AREA[{node.area}]MISSING"
    if isinstance(node, Everything):
        return "ALL"
    if isinstance(node, Not):
        return f"NOT ({written(node.part)})"
    joint = " AND " if isinstance(node, And) else " OR "
    return joint.join(f"({written(part)})" for part in node.parts)


@given(trees)
def test_what_is_written_is_read_again(tree: Node) -> None:
    assert parse(written(tree)) == tree


@given(trees)
def test_a_negation_matches_exactly_what_the_expression_does_not(tree: Node) -> None:
    assert matcher(tree).matches(STUDY) != matcher(Not(tree)).matches(STUDY)


@given(st.text('()[]"\\ AREANDORTGNM,x1', max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused(expression: str) -> None:
    with suppress(BadRequest):
        matcher(parse(expression)).matches(STUDY)


shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["protocolSection", "statusModule", "startDateStruct", "date"]), parts, max_size=3
        )
    ),
    max_leaves=10,
)


@given(shapes, trees)
def test_records_of_any_shape_can_be_tested(study: Any, tree: Node) -> None:
    assert matcher(tree).matches(study) in (True, False)
