"""A warehouse of a few trials made by hand, in the relations that watchlists read."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

from psycopg2.extras import execute_values

from orchestration.settings import Settings
from orchestration.warehouse import connect, ensure

TABLES = """
create table intermediate.int_trial_terms (nct_id text, kind text, term text);
create table analytics.dim_trials (
    nct_id text, brief_title text, phase text, overall_status text, lead_sponsor text, lead_sponsor_class text,
    condition_names text, intervention_names text, enrollment integer, start_date date, primary_completion_date date,
    completion_date date, has_results boolean, first_posted_date date, last_update_posted_date date,
    deleted_at timestamptz
);
create table analytics.fct_trial_changes (
    nct_id text, field text, change_type text, old_value text, new_value text, registry_date date,
    changed_at timestamptz
);
create table analytics.fct_trial_due_dates (
    nct_id text, falls_due text, due_date date, due_by text, primary_completion_date date,
    primary_completion_date_type text, primary_completion_date_precision text, brief_title text, overall_status text,
    phase text, lead_sponsor text, lead_sponsor_class text, enrollment integer
);
"""


class WatchHouse:
    """Fills an empty database at `url`."""

    def __init__(self, url: str):
        self.url = url
        ensure(Settings(DATABASE_URL=url, DAGSTER_DATABASE_URL=url, _env_file=None))
        self._run(TABLES)

    def trial(self, nct_id: str, names: Mapping[str, Sequence[str]], **columns: Any) -> None:
        """A trial and the names by which it is found: kind → names."""
        values = {"nct_id": nct_id, "brief_title": f"Title of {nct_id}", "overall_status": "RECRUITING", **columns}
        self._insert("analytics.dim_trials", [values])
        terms = [{"nct_id": nct_id, "kind": kind, "term": term} for kind, found in names.items() for term in found]
        self._insert("intermediate.int_trial_terms", terms)

    def change(self, nct_id: str, field: str, old: str | None, new: str | None, at: datetime) -> None:
        """A change that was seen at `at`."""
        kind = "changed" if field != "record" else "vanished"
        values = {"field": field, "change_type": kind, "old_value": old, "new_value": new, "changed_at": at}
        self._insert("analytics.fct_trial_changes", [{"nct_id": nct_id, **values}])

    def due(self, nct_id: str, falls_due: str, day: date, completed: date | None = None) -> None:
        """Something that falls due on `day`."""
        values = {"nct_id": nct_id, "falls_due": falls_due, "due_date": day, "due_by": "date in the record"}
        self._insert("analytics.fct_trial_due_dates", [{**values, "primary_completion_date": completed or day}])

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        with closing(connect(self.url)) as connection, connection, connection.cursor() as cursor:
            statement = f"insert into {table} ({', '.join(rows[0])}) values %s"
            execute_values(cursor, statement, [tuple(row.values()) for row in rows])

    def _run(self, statements: str) -> None:
        with closing(connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statements)
