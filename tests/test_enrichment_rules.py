"""What keywords make of a text, and how far a model may change it."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.enrichment.evidence import collapse, quoted
from orchestration.enrichment.rules import Lexicon, suggest
from orchestration.enrichment.stop_reasons.task import CLASSES, STOP_REASONS, check, keywords, rule, settle
from orchestration.enrichment.task import InvalidAnswer, Values

CERTAIN = {
    "Slow accrual": "insufficient_enrollment",
    "Terminated early because of difficulties in finding suitable participants.": "insufficient_enrollment",
    "UNABLE TO RECRUIT": "insufficient_enrollment",
    "no funding": "business_administrative",
    "The company went bankrupt": "business_administrative",
    "Sponsor\N{RIGHT SINGLE QUOTATION MARK}s decision": "business_administrative",
    "Terminated early by the sponsor": "business_administrative",
    "COVID-19": "covid19",
    "Suspended due to the coronavirus pandemic": "covid19",
    "Study drug was not available": "logistics_resources",
    "Staff shortage": "logistics_resources",
    "Change in study design": "study_design",
    "Duplicate registration": "invalid_reason",
    "The study was completed": "invalid_reason",
    "The principal investigator left the university": "study_staff_moved",
    "Competing study": "another_study",
    "Adverse events": "safety_sideeffects",
    "Unfavourable benefit-risk ratio": "safety_sideeffects",
    "No IRB approval": "regulatory",
    "Lack of efficacy": "negative",
    "Stopped for futility": "negative",
    "Interim analysis": "interim_analysis",
    "The primary objective was met": "endpoint_met",
    "Insufficient data": "insufficient_data",
    "Ethical concerns": "ethical_reason",
    "Study terminated": "no_context",
    "The study was withdrawn before enrolment of the first participant": "no_context",
}


@pytest.mark.parametrize(("text", "label"), CERTAIN.items())
def test_plain_words_need_no_model(text: str, label: str) -> None:
    answer = rule(text)
    assert answer is not None
    assert answer.values["stop_reason"] == label
    assert answer.values["evidence"]
    assert str(answer.values["evidence"]) in text
    assert (answer.method, answer.confidence in ("high", "medium")) == ("rule", True)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("No accrual because of the pandemic", "insufficient_enrollment", "covid19"),
        ("Because of Covid-19 recruitment was slow", "insufficient_enrollment", "covid19"),
        ("Covid-19 and lack of funding", "covid19", "business_administrative"),
        ("Slow enrolment, lack of funding", "insufficient_enrollment", "business_administrative"),
        ("Sponsor decision due to slow recruitment", "insufficient_enrollment", None),
        ("Lack of efficacy in another trial", "another_study", "negative"),
        ("No benefit for participants in a similar study", "another_study", "negative"),
        ("Sponsor decision, not related to safety concerns", "business_administrative", None),
        ("Slow recruitment; no safety issues were observed", "insufficient_enrollment", None),
    ],
)
def test_the_nearest_cause_comes_first_and_a_reason_beats_who_decided(
    text: str, first: str, second: str | None
) -> None:
    answer = rule(text)
    assert answer is not None
    assert (answer.values["stop_reason"], answer.values["second_reason"]) == (first, second)


@pytest.mark.parametrize(
    "text",
    ["Something else came up", "", "   ", "Our horse ate the randomisation list twice", "The lead-in went wrong"],
)
def test_what_keywords_do_not_explain_is_left_to_a_model(text: str) -> None:
    assert rule(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_rules_and_evidence_is_always_quoted(text: str) -> None:
    answer = rule(text)
    if answer is not None:
        assert answer.values["stop_reason"] in CLASSES
        assert str(answer.values["evidence"]) in collapse(text)


WORDS = st.one_of(
    st.sampled_from(
        ["slow", "low", "no", "lack of", "recruitment", "patients", "funding", "sponsor decision", "covid-19"]
    ),
    st.sampled_from(
        ["due to", "and", ",", "not", "safety", "PI left", "study drug", "supply", "futility", "İstanbul", "ß"]
    ),
)


@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_mixture_of_telling_words_has_quoted_evidence(text: str) -> None:
    found = keywords(text)
    assert len(set(found.labels)) == len(found.labels) == len(found.spans)
    assert all(0 <= start < end <= len(text) for start, end in found.spans)


def test_of_overlapping_matches_the_longest_wins_and_weak_ones_yield() -> None:
    lexicon = Lexicon(
        strong={"a": ["red wine"], "b": ["wine"]},
        weak={"c": ["they say"]},
        dismissed=["no wine"],
        filler="the",
        modifier="so",
    )
    assert suggest(lexicon, "they say: the red wine").labels == ("a",)
    assert suggest(lexicon, "they say").labels == ("c",)
    assert suggest(lexicon, "they say").weak
    assert suggest(lexicon, "no wine").labels == ()
    assert suggest(lexicon, "the wine, so green").residue == ("green",)
    assert suggest(lexicon, "the so").residue == ("so",)


TEXT = "Slow accrual after the cyclotron was sold off"


def read(first: str, second: str | None = None, evidence: str = TEXT) -> Values:
    return {"evidence": evidence, "stop_reason": first, "second_reason": second}


def test_agreement_is_trusted_most() -> None:
    answer = settle(TEXT, read("insufficient_enrollment", "logistics_resources"), trusted=False)
    assert (answer.method, answer.confidence) == ("rule+llm", "high")
    assert answer.values["second_reason"] == "logistics_resources"


def test_a_small_model_does_not_overrule_certain_keywords_but_a_trusted_one_does() -> None:
    small = settle(TEXT, read("covid19"), trusted=False)
    assert (small.values["stop_reason"], small.method, small.confidence) == ("insufficient_enrollment", "rule", "low")
    assert str(small.values["evidence"]) in TEXT
    large = settle(TEXT, read("business_administrative"), trusted=True)
    assert (large.values["stop_reason"], large.method, large.confidence) == ("business_administrative", "llm", "medium")


def test_where_keywords_find_nothing_even_a_small_model_decides() -> None:
    answer = settle("Our horse ate the list", read("invalid_reason"), trusted=False)
    assert (answer.values["stop_reason"], answer.method, answer.confidence) == ("invalid_reason", "llm", "low")


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("the MRI scanner, broke", "the MRI scanner broke"),
        ("MRI   scanner", "MRI scanner"),
        ("mri SCANNER", "MRI scanner"),
        ('"the MRI scanner broke down in May,"', "the MRI scanner broke down in May"),
        ("and the MRI scanner broke down in May", "the MRI scanner broke down in May"),
    ],
)
def test_a_slip_of_the_pen_is_mended(evidence: str, expected: str) -> None:
    assert quoted("So the MRI scanner broke down in May", evidence) == expected


@pytest.mark.parametrize(
    "evidence", ["", "   ", "slow recruitment", "scanner was repaired in June and then sold", "!!"]
)
def test_words_that_are_not_in_the_text_are_no_evidence(evidence: str) -> None:
    with pytest.raises(InvalidAnswer):
        quoted("So the MRI scanner broke down in May", evidence)


@given(st.text(max_size=100), st.text(max_size=60))
def test_evidence_is_always_part_of_the_text(text: str, evidence: str) -> None:
    with suppress(InvalidAnswer):
        assert quoted(text, evidence) in collapse(text)


@pytest.mark.parametrize(
    "raw",
    [None, [], "covid19", {}, {**read("covid19"), "stop_reason": "weather"}, {**read("covid19"), "second_reason": 3}],
)
def test_an_answer_outside_the_schema_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidAnswer):
        check(TEXT, raw)


@pytest.mark.parametrize("second", ["covid19", "no_context", "interim_analysis"])
def test_a_second_reason_must_add_something_that_the_text_says(second: str) -> None:
    assert check(TEXT, read("covid19", second))["second_reason"] is None
    assert check(TEXT, read("covid19", "negative"))["second_reason"] == "negative"
    assert check(f"Interim: {TEXT}", read("negative", "interim_analysis"))["second_reason"] == "interim_analysis"


def test_the_prompts_examples_are_valid_and_cover_every_class() -> None:
    for example in STOP_REASONS.examples:
        assert check(example.text, dict(example.values)) == example.values
    assert {example.values["stop_reason"] for example in STOP_REASONS.examples} == set(CLASSES)
    assert all(f"\n- {name}: " in STOP_REASONS.instructions for name in CLASSES)


def test_the_version_changes_with_the_prompt_and_the_logic_but_not_with_white_space() -> None:
    version = STOP_REASONS.version
    assert len(version) == 12
    assert replace(STOP_REASONS, instructions=STOP_REASONS.instructions + "!").version != version
    assert replace(STOP_REASONS, examples=STOP_REASONS.examples[1:]).version != version
    assert replace(STOP_REASONS, schema={}).version != version
    assert replace(STOP_REASONS, logic=("x = 1",)).version != replace(STOP_REASONS, logic=("x = 2",)).version
    assert replace(STOP_REASONS, logic=("x = 1",)).version == replace(STOP_REASONS, logic=("x   =\n 1",)).version


def test_all_but_the_last_message_is_the_same_for_every_text() -> None:
    one, other = STOP_REASONS.messages("one"), STOP_REASONS.messages("other")
    assert one[:-1] == other[:-1]
    assert [one[-1], other[-1]] == [{"role": "user", "content": "one"}, {"role": "user", "content": "other"}]
    assert json.loads(one[2]["content"])["stop_reason"] in CLASSES
