"""Container files, compose and Helm values, as far as they can be proved without Docker and without a cluster."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click import Group
from dagster._config import process_config
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job, get_user_defined_k8s_config
from dagster_k8s.launcher import K8sRunLauncher
from kubernetes.client import ApiClient

from orchestration.assets.steps import QUEUES, RESOURCES
from orchestration.cli import bioloupe
from orchestration.definitions import defs
from orchestration.settings import PROJECT_ROOT, Settings

FOLDER = PROJECT_ROOT / "orchestration" / "deploy"
INSTANCE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "orchestration" / "dagster.yaml").read_text())
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "kubernetes" / "values.yaml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
DOCKERFILE = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
CODE: dict[str, Any] = VALUES["dagster-user-deployments"]["deployments"][0]
LAUNCHER: dict[str, Any] = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "bioloupe-data"}
OLDEST, NEWEST = "1.30", "1.34"


def snake(value: Any) -> Any:
    """What the chart does to the keys of values before Dagster reads them."""
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower(): snake(inner) for key, inner in value.items()}
    return [snake(inner) for inner in value] if isinstance(value, list) else value


def launcher_config() -> dict[str, Any]:
    more = {"service_account_name": "dagster", "dagster_home": "/opt/dagster", "instance_config_map": "instance"}
    secret = {"postgres_password_secret": VALUES["global"]["postgresqlSecretName"]}
    return {**snake(LAUNCHER), **more, **secret, "job_namespace": "bioloupe"}


def context(tags: dict[str, Any]) -> K8sContainerContext:
    """What a pod gets: of the launcher, of the code location, and of a step's own tags."""
    launcher = {name: value for name, value in launcher_config().items() if name in ("resources", "run_k8s_config")}
    of_code = {
        "image_pull_policy": CODE["image"]["pullPolicy"],
        "env": CODE["env"],
        "volumes": CODE["volumes"],
        "volume_mounts": CODE["volumeMounts"],
        "resources": CODE["resources"],
        "security_context": CODE["securityContext"],
    }
    made = K8sContainerContext.create_from_config({"k8s": launcher})
    made = made.merge(K8sContainerContext.create_from_config({"k8s": of_code}))
    return made.merge(K8sContainerContext(run_k8s_config=get_user_defined_k8s_config(tags)))


def pod_job(tags: dict[str, Any]) -> dict[str, Any]:
    config = launcher_config()
    names = ("dagster_home", "instance_config_map", "postgres_password_secret")
    image = f"{CODE['image']['repository']}:{CODE['image']['tag']}"
    job = construct_dagster_k8s_job(
        DagsterK8sJobConfig(job_image=image, **{name: config[name] for name in names}),
        args=["dagster", "api", "execute_step"],
        job_name="step-1",
        user_defined_k8s_config=context(tags).run_k8s_config,
    )
    rendered: dict[str, Any] = ApiClient().sanitize_for_serialization(job)
    return rendered


def tags_of(pool: str) -> dict[str, Any]:
    """The tags of the nightly step that takes this pool, as Dagster has them."""
    nodes = defs.resolve_job_def("nightly_refresh").nodes
    return next(dict(node.definition.tags) for node in nodes if getattr(node.definition, "pool", None) == pool)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("pool", sorted(RESOURCES))
def test_a_step_s_pod_is_valid_and_has_what_it_needs(pool: str, version: str) -> None:
    job = pod_job(tags_of(pool))
    kubernetes_validate.validate(job, version, strict=True)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["memory"] == RESOURCES[pool][2]
    assert {"name": "home", "mountPath": "/var/lib/bioloupe"} in container["volumeMounts"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert job["spec"]["activeDeadlineSeconds"] == INSTANCE["run_monitoring"]["max_runtime_seconds"]


def test_the_launcher_understands_its_configuration() -> None:
    found = process_config(K8sRunLauncher.config_type(), launcher_config())
    assert found.success, found.errors


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_what_the_chart_makes_of_the_code_location_is_valid(version: str) -> None:
    container = {key: CODE[key] for key in ("env", "volumeMounts", "securityContext", "resources")}
    spec = {
        "containers": [{"name": "code", "image": "x", **container}],
        "initContainers": CODE["initContainers"],
        "volumes": CODE["volumes"],
        "securityContext": CODE["podSecurityContext"],
    }
    labels = {"app": "code"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "code"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    kubernetes_validate.validate(deployment, version, strict=True)


def test_what_must_be_there_before_the_chart_is_valid_and_is_what_the_values_name() -> None:
    made = list(yaml.safe_load_all((FOLDER / "kubernetes" / "resources.yaml").read_text()))
    for resource in made:
        kubernetes_validate.validate(resource, NEWEST, strict=True)
    keys = {resource["metadata"]["name"]: set(resource.get("stringData", {})) for resource in made}
    assert keys[VALUES["global"]["postgresqlSecretName"]] == {"postgresql-password"}
    for variable in CODE["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference and not reference.get("optional"):
            assert reference["key"] in keys[reference["name"]]
    for volume in CODE["volumes"]:
        assert (volume.get("secret", {}).get("secretName") or volume["persistentVolumeClaim"]["claimName"]) in keys
    assert CODE["initContainers"][0]["image"] == f"{CODE['image']['repository']}:{CODE['image']['tag']}"


def test_kubernetes_has_the_instance_settings_of_a_single_machine() -> None:
    daemon, monitoring = VALUES["dagsterDaemon"], INSTANCE["run_monitoring"]
    concurrency = {key: value for key, value in VALUES["concurrency"].items() if key != "enabled"}
    assert snake(concurrency) == INSTANCE["concurrency"]
    assert snake(daemon["runRetries"]) == INSTANCE["run_retries"]
    kept = {name: value for name, value in snake(daemon["runMonitoring"]).items() if name in monitoring}
    assert {**kept, "max_runtime_seconds": monitoring["max_runtime_seconds"]} == monitoring
    retention = {key: value for key, value in VALUES["retention"].items() if key != "enabled"}
    assert snake(retention) == INSTANCE["retention"]
    assert VALUES["telemetry"] == INSTANCE["telemetry"]


def test_secrets_are_references_and_the_database_is_reached_by_tls() -> None:
    names = {str(f.validation_alias) for f in Settings.model_fields.values() if "SecretStr" in str(f.annotation)}
    assert [v["name"] for v in CODE["env"] if v["name"] in names and "value" in v] == []
    assert VALUES["postgresql"]["postgresqlParams"]["sslmode"] == "verify-full"
    assert not VALUES["postgresql"]["enabled"]
    assert VALUES["postgresql"]["postgresqlPassword"] == ""


def command_of(words: list[str]) -> None:
    """Parse a `bioloupe` command as the program does, without running it."""
    assert words[0] == "bioloupe"
    command, rest, parent = bioloupe, words[1:], None
    while isinstance(command, Group):
        parent = command.make_context(command.name, [rest[0]], parent=parent, resilient_parsing=True)
        found = command.get_command(parent, rest[0])
        assert found is not None, words
        command, rest = found, rest[1:]  # type: ignore[assignment]
    command.make_context(words[-1], rest, parent=parent)


def test_every_command_of_the_containers_is_one_that_bioloupe_knows() -> None:
    commands = [service["command"] for service in OURS.values()]
    checks = [service["healthcheck"]["test"][1:] for service in OURS.values() if "healthcheck" in service]
    for words in [*commands, *checks, CODE["initContainers"][0]["command"]]:
        command_of(words)
    assert len(checks) == len(OURS) - 1  # `prepare` ends


def test_every_queue_has_a_worker_and_runs_wait_in_one_of_their_own() -> None:
    workers = [s["command"] for s in OURS.values() if s["command"][:3] == ["bioloupe", "serve", "worker"]]
    queues = [{name for option, name in pairwise(c) if option == "--queue"} for c in workers]
    assert set().union(*queues) == set(QUEUES)
    assert sorted(queues, key=len)[0] == {"runs"}
    assert [q for q in queues if "runs" in q] == [{"runs"}]
    assert len(workers) == 3


def test_services_share_a_home_take_secrets_from_a_file_and_are_nobody_special() -> None:
    for service in OURS.values():
        assert service["volumes"] == ["home:/var/lib/bioloupe"]
        assert service["env_file"] == "deployment.env"
        assert service["cap_drop"] == ["ALL"]
    example = (FOLDER / "deployment.env.example").read_text()
    ignored = (PROJECT_ROOT / ".gitignore").read_text().splitlines()
    assert "orchestration/deploy/deployment.env" in ignored
    assert not re.search(r"^\w*PASSWORD=.+", example, re.MULTILINE)
    assert COMPOSE["services"]["webserver"]["ports"] == ["127.0.0.1:3000:3000"]


def test_the_image_is_made_of_the_lock_file_and_runs_as_nobody_special() -> None:
    syncs = [line for line in DOCKERFILE.splitlines() if "uv sync" in line]
    assert len(syncs) == 2
    assert [line for line in syncs if "--locked" not in line or "--no-dev" not in line] == []
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.findall(r"^USER (\S+)", last, re.MULTILINE) == ["bioloupe"]
    assert last.index("USER ") < last.index("dbt_project()")
    assert not re.search(r"(PASSWORD|SECRET|API_KEY)=", DOCKERFILE)


def test_what_the_image_copies_exists_and_is_not_left_out() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    for line in re.findall(r"^COPY ([^-].*)", DOCKERFILE, re.MULTILINE):
        for source in shlex.split(line)[:-1]:
            assert (PROJECT_ROOT / source).exists(), source
            assert Path(source).parts[0] in kept, source
