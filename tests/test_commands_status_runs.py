"""What `bioloupe status` tells of the last runs."""

import io

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from rich.console import Console

from orchestration.commands.status import _runs


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (DagsterRunStatus.FAILURE, "failure never, created"),
        (DagsterRunStatus.CANCELED, "canceled never, created"),
        (DagsterRunStatus.STARTING, "starting not yet"),
    ],
)
def test_a_run_that_ended_before_it_began_tells_when_it_was_created(
    status: DagsterRunStatus, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.StringIO()
    with DagsterInstance.ephemeral() as instance:
        create_run_for_test(instance, job_name="nightly", status=status)
        monkeypatch.setattr(DagsterInstance, "get", lambda: instance)
        _runs(Console(file=buffer, width=110), 5)
    assert f"nightly {told}" in " ".join(buffer.getvalue().split())
