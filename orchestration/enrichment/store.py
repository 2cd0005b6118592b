"""Answers and their ledger in Postgres. Both of one batch commit together, so a kill loses no more than that batch."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from orchestration.enrichment.client import Call
from orchestration.enrichment.task import Answer, Task
from orchestration.warehouse import connect

SCHEMA = Path(__file__).parent / "schema.sql"
LEDGER = (
    "attempt",
    "status",
    "error",
    "called_at",
    "latency_ms",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cost_usd",
)


@dataclass(frozen=True)
class Text:
    """One distinct text to be read."""

    text_hash: str
    text: str


@dataclass(frozen=True)
class Result:
    """What is to be stored about one text: an answer, or why there is none, and the calls that it took.

    With neither of them only the calls are entered, and the text stays unread.
    """

    text: Text
    answer: Answer | None = None
    error: str | None = None
    calls: Sequence[Call] = ()


class Store:
    """What one task, in its present version, has from one model. Every method is a transaction of its own."""

    def __init__(self, connection: Connection, task: Task, model: str):
        self._connection, self._task = connection, task
        self._key = (task.name, task.version, model)
        self._table = sql.Identifier(*task.table.split("."))

    def unread(self, retry_failed: bool = False, only: Sequence[str] | None = None) -> list[Text]:
        """Texts without an answer: those of most studies first, then the newest. `only`: of these hashes.

        A text whose reading failed counts as read, unless `retry_failed`: it would fail again every night, and cost.
        """
        query = sql.SQL("""
            select texts.text_hash, texts.text
            from {texts} as texts
            where not exists (
                select from {answers} as answers
                where answers.task = %(task)s and answers.version = %(version)s and answers.model = %(model)s
                and answers.text_hash = texts.text_hash and (answers.status = 'answered' or not %(retry_failed)s)
            ) and (%(only)s::text[] is null or texts.text_hash = any(%(only)s::text[]))
            order by texts.study_count desc, texts.latest_update desc nulls last, texts.text_hash
        """).format(texts=sql.Identifier(*self._task.texts.split(".")), answers=self._table)
        task, version, model = self._key
        rows = self._fetch(
            query,
            {
                "task": task,
                "version": version,
                "model": model,
                "retry_failed": retry_failed,
                "only": None if only is None else list(only),
            },
        )
        return [Text(*row) for row in rows]

    def save(self, results: Iterable[Result], run_id: str) -> None:
        """Commit a batch: answers, failures and all their calls, or nothing of it."""
        results = list(results)
        with self._connection, self._connection.cursor() as cursor:
            rows = [self._row(r) for r in results if r.answer or r.error]
            execute_values(cursor, self._insert().as_string(cursor), rows)
            ledger = [
                (*self._key, r.text.text_hash, run_id, *(getattr(call, name) for name in LEDGER))
                for r in results
                for call in r.calls
            ]
            columns = "task, version, model, text_hash, run_id, " + ", ".join(LEDGER)
            execute_values(cursor, f"insert into enrichment.llm_calls ({columns}) values %s", ledger)

    def answers(self, hashes: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is stored about these texts, by hash: the task's columns, confidence, method, status and error."""
        columns = [*self._task.columns, "confidence", "method", "status", "error"]
        query = sql.SQL("""
            select text_hash, {columns} from {answers}
            where task = %s and version = %s and model = %s and text_hash = any(%s)
        """).format(columns=sql.SQL(", ").join(map(sql.Identifier, columns)), answers=self._table)
        return {
            row[0]: dict(zip(columns, row[1:], strict=True)) for row in self._fetch(query, (*self._key, list(hashes)))
        }

    def gold_texts(self, nct_ids: Sequence[str]) -> dict[str, Text]:
        """The text of each of these studies, by nct_id; studies that the warehouse lacks are missing."""
        rows = self._fetch(sql.SQL(self._task.gold_texts), {"nct_ids": list(nct_ids)})
        return {nct_id: Text(text_hash, text) for nct_id, text_hash, text in rows}

    def try_lock(self) -> bool:
        """Whether this connection may read the task's texts; two readers at once would pay for each text twice."""
        return bool(self._fetch(sql.SQL("select pg_try_advisory_lock(hashtext(%s))"), (self._task.table,))[0][0])

    def _fetch(self, query: sql.Composable, parameters: Any) -> list[tuple[Any, ...]]:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def _row(self, result: Result) -> tuple[Any, ...]:
        key = (*self._key, result.text.text_hash, result.text.text)
        if result.answer is None:
            return (*key, "failed", result.error, None, "llm", *(None for _ in self._task.columns))
        answer = result.answer
        values = (answer.values[column] for column in self._task.columns)
        return (*key, "answered", None, answer.confidence, answer.method, *values)

    def _insert(self) -> sql.Composed:
        """An answer replaces a failure, never an answer."""
        columns = ["task", "version", "model", "text_hash", "text", "status", "error", "confidence", "method"]
        columns += self._task.columns
        changed = [c for c in columns[5:]]
        return sql.SQL("""
            insert into {answers} as old ({columns}) values %s
            on conflict (task, version, model, text_hash) do update
            set {changes}, answered_at = now() where old.status = 'failed'
        """).format(
            answers=self._table,
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            changes=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in changed),
        )


@contextmanager
def open_store(url: str, task: Task, model: str) -> Iterator[Store]:
    """A store on a connection of its own."""
    with closing(connect(url)) as connection:
        yield Store(connection, task, model)
