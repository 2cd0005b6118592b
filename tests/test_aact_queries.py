"""SQL written for AACT, unchanged, on `ctgov`: each answer against the records themselves."""

import json
from collections import Counter
from typing import Any

import pytest

from orchestration.warehouse import query
from tests.aact_queries import QUERIES, Records, expected

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def loaded(_filled_template: str, postgres_server: Any) -> tuple[str, Records]:
    url = postgres_server.url(_filled_template)
    rows = query(url, "select nct_id, payload::text from raw_ctgov.studies")
    return url, {nct_id: json.loads(payload) for nct_id, payload in rows}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_written_for_aact_answers_what_the_records_say(name: str, loaded: tuple[str, Records]) -> None:
    url, records = loaded
    answer = expected(name, records)
    assert answer, "the records have nothing to answer this with"
    assert Counter(query(url, QUERIES[name][0])) == answer
