"""Score a task against labels that people made."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.enrichment.model import Model
from orchestration.enrichment.runner import OpenClient, Progress, RunSummary, run_task
from orchestration.enrichment.store import open_store
from orchestration.enrichment.task import Task

NO_ANSWER = "(none)"


class GoldError(Exception):
    """The file of labels can't be used; the message says where and why."""


@dataclass(frozen=True)
class GoldRow:
    """One label: the study, its class, and a second class if the text has one."""

    nct_id: str
    label: str
    second: str | None


@dataclass(frozen=True)
class Scored:
    """A label beside the stored answer; `answer` is empty where there is none."""

    gold: GoldRow
    text: str
    answer: dict[str, Any]
    predicted: str
    predicted_second: str | None

    @property
    def right(self) -> bool:
        return self.predicted == self.gold.label


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 (0 to 1) of one class; `support` labels carry it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """What came out. `missing`: studies with a label that the warehouse has no text of."""

    task: Task
    model: Model
    run: RunSummary
    rows: list[Scored]
    missing: list[str]

    @property
    def accuracy(self) -> float:
        """Share of the rows whose first class is right; a text without an answer is wrong."""
        return sum(row.right for row in self.rows) / len(self.rows) if self.rows else 0.0

    @property
    def macro_f1(self) -> float:
        """Mean F1 over all classes that were labelled or answered, each counting the same."""
        scores = self.classes
        return sum(score.f1 for score in scores) / len(scores) if scores else 0.0

    @property
    def classes(self) -> list[ClassScore]:
        return class_scores([(row.gold.label, row.predicted) for row in self.rows])

    @property
    def confusion(self) -> Counter[tuple[str, str]]:
        """Number of rows by (label, predicted)."""
        return Counter((row.gold.label, row.predicted) for row in self.rows)

    @property
    def seconds(self) -> tuple[int, int, int]:
        """Second classes: labelled, of these found, and answered where none is labelled."""
        labelled = [row for row in self.rows if row.gold.second]
        found = sum(row.predicted_second == row.gold.second for row in labelled)
        extra = sum(row.predicted_second is not None for row in self.rows if not row.gold.second)
        return len(labelled), found, extra

    def by(self, column: str) -> dict[str, tuple[int, int]]:
        """(right, all) by a column of the answer: method or confidence."""
        totals: dict[str, tuple[int, int]] = {}
        for row in self.rows:
            key = str(row.answer.get(column) or NO_ANSWER)
            right, every = totals.get(key, (0, 0))
            totals[key] = (right + row.right, every + 1)
        return totals


def class_scores(pairs: Sequence[tuple[str, str]]) -> list[ClassScore]:
    """Scores of each class in (label, predicted) pairs, most labelled first."""
    labelled, predicted = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    hits = Counter(a for a, b in pairs if a == b)
    scores = []
    for label in sorted((labelled | predicted).keys() - {NO_ANSWER}, key=lambda c: (-labelled[c], c)):
        precision = hits[label] / predicted[label] if predicted[label] else 0.0
        recall = hits[label] / labelled[label] if labelled[label] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if hits[label] else 0.0
        scores.append(ClassScore(label, precision, recall, f1, labelled[label]))
    return scores


def read_gold(path: Path, task: Task) -> list[GoldRow]:
    """The labels of a CSV file: nct_id, the task's label, and its second label if that column is there.

    Raises GoldError for a missing column, an empty cell, an unknown class or a study that occurs twice.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        absent = {"nct_id", task.label} - set(reader.fieldnames or ())
        if absent:
            raise GoldError(
                f"{path}: no column {', '.join(sorted(absent))}; it has {', '.join(reader.fieldnames or ())}"
            )
        rows = [_gold_row(f"{path}:{reader.line_num}", row, task) for row in reader]
    twice = [nct_id for nct_id, times in Counter(row.nct_id for row in rows).items() if times > 1]
    if twice:
        raise GoldError(f"{path}: more than one row for {', '.join(twice[:5])}")
    return rows


def _gold_row(where: str, row: dict[str, str | None], task: Task) -> GoldRow:
    known = task.schema["properties"][task.label]["enum"]
    nct_id, label, second = ((row.get(c) or "").strip() for c in ("nct_id", task.label, task.second_label))
    if not nct_id:
        raise GoldError(f"{where}: no nct_id")
    for name in filter(None, (label or "an empty cell", second)):
        if name not in known:
            raise GoldError(f"{where}: {name} is no {task.label}; there are {', '.join(known)}")
    return GoldRow(nct_id, label, second or None)


def evaluate(
    connection_url: str,
    task: Task,
    gold: Sequence[GoldRow],
    open_client: OpenClient | None,
    model: Model,
    *,
    max_calls: int | None = None,
    progress: Progress | None = None,
    run_id: str = "",
) -> Evaluation:
    """Score the stored answers to the texts of the labelled studies; what is unread among them is read first."""
    with open_store(connection_url, task, model.name) as store:
        texts = store.gold_texts([row.nct_id for row in gold])
        hashes = sorted({text.text_hash for text in texts.values()})
    run = run_task(
        connection_url, task, open_client, model, max_calls=max_calls, progress=progress, run_id=run_id, only=hashes
    )
    with open_store(connection_url, task, model.name) as store:
        answers = store.answers(hashes)
    rows = []
    for row in gold:
        if row.nct_id in texts:
            answer = answers.get(texts[row.nct_id].text_hash, {})
            first, second = answer.get(task.label), answer.get(task.second_label)
            rows.append(Scored(row, texts[row.nct_id].text, answer, first or NO_ANSWER, second))
    return Evaluation(task, model, run, rows, [row.nct_id for row in gold if row.nct_id not in texts])
