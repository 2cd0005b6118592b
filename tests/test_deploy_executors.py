"""The executor by configuration: which one, where it is not installed, what a command in a terminal does."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, Definitions, job, op
from dagster._core.utils import make_new_run_id

from orchestration import nightly, runtime
from orchestration.assets.steps import QUEUES, RESOURCES, placed
from orchestration.definitions import defs
from orchestration.deploy.executors import executor
from orchestration.resources.tables import DatabaseTables, ParquetTables, tables
from orchestration.settings import ConfigurationError, Settings, read_settings, settings

BROKER = "redis://:broker-secret@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _environment(own_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the executor sets in the environment goes with the test."""
    monkeypatch.setenv("BIOLOUPE_CELERY_BROKER_URL", "")


def configured(name: str, **more: Any) -> Settings:
    url = {"BIOLOUPE_CELERY_BROKER_URL": BROKER} if name == "celery" else {}
    return Settings(_env_file=None, BIOLOUPE_EXECUTOR=name, **url, **more)


@pytest.mark.parametrize(("name", "found"), [("in_process", "in_process"), ("celery", "celery"), ("kubernetes", "k8s")])
def test_a_setting_picks_the_executor(name: str, found: str) -> None:
    assert executor(configured(name)).name == found


@pytest.mark.parametrize(("name", "package"), [("celery", "dagster_celery"), ("kubernetes", "dagster_k8s")])
def test_a_package_that_is_missing_is_an_error_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "orchestration.deploy.executors.find_spec", lambda wanted: None if wanted == package else found(wanted)
    )
    with pytest.raises(ConfigurationError, match=f"uv sync --extra {name}"):
        executor(configured(name))


@pytest.mark.parametrize(
    "names",
    [
        {"BIOLOUPE_EXECUTOR": "celery"},
        {"BIOLOUPE_EXECUTOR": "celery", "BIOLOUPE_CELERY_BROKER_URL": "amqp://user:broker-secret@host"},
    ],
)
def test_celery_needs_a_redis_whose_password_is_not_told(names: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="redis://host:6379/0") as error:
        read_settings(**names)
    assert "broker-secret" not in str(error.value)


def test_no_run_s_configuration_holds_the_broker_s_password() -> None:
    @op
    def step() -> None:
        pass

    @job(executor_def=executor(configured("celery")))
    def steps() -> None:
        step()

    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(steps)
        snapshot = instance.get_job_snapshot(str(run.job_snapshot_id))
    assert "broker-secret" not in f"{run} {snapshot}"


def test_steps_that_take_a_pool_have_a_queue_of_its_name() -> None:
    for definition in defs.resolve_all_job_defs():
        for node in definition.nodes:
            pool = getattr(node.definition, "pool", None)
            if pool:
                assert node.definition.tags["dagster-celery/queue"] == pool, node.name
    assert set(RESOURCES) < set(QUEUES)
    assert placed("warehouse")["dagster-k8s/config"]["container_config"]["resources"]["limits"]["memory"]


def test_tables_go_through_the_warehouse_wherever_steps_are_not_in_one_process() -> None:
    assert isinstance(tables(configured("in_process")), ParquetTables)
    assert isinstance(tables(configured("celery")), DatabaseTables)
    assert isinstance(tables(configured("kubernetes")), DatabaseTables)


def test_a_command_s_steps_stay_in_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    @op
    def step() -> None:
        pass

    @job(executor_def=executor(configured("celery")))
    def steps() -> None:
        step()

    class Recorded:
        def get_definition(self) -> Any:
            return Definitions(jobs=[steps]).resolve_job_def("steps")

    monkeypatch.setattr(nightly, "_job", lambda name: Recorded())
    monkeypatch.setenv("BIOLOUPE_EXECUTOR", "celery")
    monkeypatch.setenv("BIOLOUPE_CELERY_BROKER_URL", BROKER)
    settings.cache_clear()
    with DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(steps)
        assert [event for event in nightly.events(run, instance) if event.is_failure] == []
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.is_success


def test_celery_adds_a_launcher_to_the_one_configuration_of_the_instance(tmp_path: Path) -> None:
    with_celery, without = tmp_path / "celery.yaml", tmp_path / "plain.yaml"
    runtime._put_instance_config(with_celery, "celery")
    runtime._put_instance_config(without, "in_process")
    plain = yaml.safe_load(without.read_text())
    more = yaml.safe_load(with_celery.read_text())
    assert more.pop("run_launcher")["class"] == "CeleryRunLauncher"
    assert more == plain


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DagsterRunStatus.STARTING, DagsterRunStatus.STARTING),
        (DagsterRunStatus.STARTED, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED),
        (DagsterRunStatus.SUCCESS, DagsterRunStatus.SUCCESS),
    ],
)
def test_a_run_under_way_whose_task_comes_back_has_lost_its_worker(
    before: DagsterRunStatus, after: DagsterRunStatus
) -> None:
    from orchestration.deploy.leases import _has_died

    with DagsterInstance.ephemeral() as instance:
        run = instance.add_run(DagsterRun("nightly_refresh", make_new_run_id(), status=before))
        assert _has_died(instance, run.run_id) is (before != after)
        found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == after
