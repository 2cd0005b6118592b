"""Scores by hand, the file of labels, and what the terminal shows of it."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orchestration.commands.enrich_view import show_evaluation, show_run
from orchestration.enrichment.evaluation import (
    NO_ANSWER,
    Evaluation,
    GoldError,
    GoldRow,
    Scored,
    class_scores,
    read_gold,
)
from orchestration.enrichment.model import Model
from orchestration.enrichment.runner import RunSummary
from orchestration.enrichment.stop_reasons.task import STOP_REASONS


def scored(nct_id: str, label: str, predicted: str, second: str | None = None, found: str | None = None) -> Scored:
    answer: dict[str, Any] = {} if predicted == NO_ANSWER else {"method": "rule", "confidence": "high"}
    return Scored(GoldRow(nct_id, label, second), f"[text] of {nct_id}", answer, predicted, found)


ROWS = [
    scored("NCT1", "covid19", "covid19", "negative", "negative"),
    scored("NCT2", "covid19", "negative", None, "covid19"),
    scored("NCT3", "negative", "negative"),
    scored("NCT4", "success", NO_ANSWER, "negative"),
]


def evaluation(run: RunSummary | None = None, rows: list[Scored] | None = None) -> Evaluation:
    run = run or RunSummary("stop_reasons", STOP_REASONS.version, "fake")
    return Evaluation(STOP_REASONS, Model("fake"), run, ROWS if rows is None else rows, ["NCT5"])


def test_figures_are_what_they_are_by_hand() -> None:
    result = evaluation()
    assert result.accuracy == 0.5
    # covid19: P 1, R 1/2, F1 2/3; negative: P 1/2, R 1, F1 2/3; success: 0.
    assert result.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert [(s.label, s.precision, s.recall, s.support) for s in result.classes] == [
        ("covid19", 1.0, 0.5, 2),
        ("negative", 0.5, 1.0, 1),
        ("success", 0.0, 0.0, 1),
    ]
    assert result.confusion["covid19", "negative"] == 1
    assert result.seconds == (2, 1, 1)
    assert result.by("method") == {"rule": (2, 3), NO_ANSWER: (0, 1)}


def test_nothing_to_score_is_no_crash() -> None:
    empty = evaluation(rows=[])
    assert (empty.accuracy, empty.macro_f1, empty.seconds) == (0.0, 0.0, (0, 0, 0))
    assert class_scores([]) == []


def test_the_terminal_shows_figures_coverage_and_each_error() -> None:
    out = io.StringIO()
    show_evaluation(Console(file=out, width=80), evaluation())
    text = out.getvalue()
    for expected in (
        "4 of 5 labelled studies",
        "NCT5",
        "accuracy 0.500",
        "macro-F1 0.444",
        "second reason: 1 of 2 found; given for 1 of 2",
        "NCT2 covid19 → negative (rule, high): [text] of NCT2",
        "NCT4 success → (none) (unread): [text] of NCT4",
        "1 covid19",
    ):
        assert expected in text


def test_a_run_that_stopped_says_why_and_what_is_left() -> None:
    out = io.StringIO()
    run = RunSummary(
        "stop_reasons", "v", "fake", unread_before=9, by_rule=2, by_llm=1, failed=1, calls=4, cost_usd=None
    )
    run.failures, run.stopped, run.budget_spent = [("odd [text]", "no JSON")], "no connection [x]", True
    show_run(Console(file=out, width=80), run)
    for expected in ("3 of 9", "5 left", "cost unknown", "no JSON: odd [text]", "no connection [x]", "--max-calls"):
        assert expected in out.getvalue()


def gold(folder: Path, content: str) -> Path:
    path = folder / "gold.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_labels_are_read_with_or_without_a_second_column(tmp_path: Path) -> None:
    both = gold(
        tmp_path, "\ufeffnct_id,stop_reason,second_reason,confidence\nNCT1,covid19,,high\nNCT2, negative ,covid19,low\n"
    )
    assert read_gold(both, STOP_REASONS) == [GoldRow("NCT1", "covid19", None), GoldRow("NCT2", "negative", "covid19")]
    one = gold(tmp_path, "stop_reason,nct_id\ncovid19,NCT1\n")
    assert read_gold(one, STOP_REASONS) == [GoldRow("NCT1", "covid19", None)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no column nct_id, stop_reason"),
        ("nct_id,label\nNCT1,covid19\n", "no column stop_reason; it has nct_id, label"),
        (
            "nct_id,stop_reason\nNCT1,weather\n",
            "gold.csv:2: weather is no stop_reason; there are insufficient_enrollment",
        ),
        ("nct_id,stop_reason\nNCT1,\n", "an empty cell"),
        ("nct_id,stop_reason\n,covid19\n", "no nct_id"),
        ("nct_id,stop_reason,second_reason\nNCT1,covid19,rain\n", "rain is no stop_reason"),
        ("nct_id,stop_reason\nNCT1,covid19\nNCT1,negative\n", "more than one row for NCT1"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_reason(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(GoldError) as raised:
        read_gold(gold(tmp_path, content), STOP_REASONS)
    assert problem in str(raised.value)


def test_no_example_of_the_prompt_is_a_labelled_text(shared: Path) -> None:
    import csv
    import gzip
    import json

    labelled = {row["nct_id"] for row in csv.DictReader((shared / "gold_dev" / "stop_reason.csv").open())}
    texts = set()
    with gzip.open(shared / "registry" / "ctgov_v2_studies.ndjson.gz", "rt") as studies:
        for line in studies:
            if '"whyStopped"' in line:
                protocol = json.loads(line)["protocolSection"]
                if protocol["identificationModule"]["nctId"] in labelled:
                    texts.add(protocol["statusModule"]["whyStopped"].strip().lower())
    assert len(texts) > 100
    assert not texts & {example.text.lower() for example in STOP_REASONS.examples}
