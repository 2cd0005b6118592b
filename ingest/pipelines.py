"""dlt pipelines into the warehouse: how they are made, and how one that was killed is picked up again."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.pipeline.exceptions import PipelineStepFailed

log = logging.getLogger(__name__)

# dlt's own default; its types do not tell that arguments may be None.
_UNSET: Any = None
# The version of the state, as the warehouse had it, that the batch now at work continues.
_CONTINUES = "continues"


def pipeline(
    name: str, dataset: str, database_url: str | None = None, pipelines_dir: Path | None = None
) -> dlt.Pipeline:
    """A pipeline into one schema of a Postgres; `pipelines_dir` holds its working files.

    Connects to nothing. Without a URL it can only be described, not run.
    """
    _configure()
    destination = dlt.destinations.postgres(credentials=_credentials(database_url) if database_url else _UNSET)
    return dlt.pipeline(
        name,
        pipelines_dir=str(pipelines_dir) if pipelines_dir else _UNSET,
        destination=destination,
        dataset_name=dataset,
    )


def _configure() -> None:
    dlt.config["runtime.dlthub_telemetry"] = False
    # dlt would put an interrupt off to the end of its step, and forget it there if nothing is left to be done.
    dlt.config["runtime.intercept_signals"] = False
    # Loaded files are of no more use; kept, a first load would leave the whole registry on disk twice.
    dlt.config["load.delete_completed_jobs"] = True
    dlt.config["load.truncate_staging_dataset"] = True


def _credentials(database_url: str) -> PostgresCredentials:
    """The URL's credentials in the form that dlt wants: with a host, with a password though it be empty.

    What is empty, libpq fills in as usual, from the password file or the user's name. A socket's directory, which a
    URL carries as `?host=/run/postgresql`, becomes the host.
    """
    credentials = PostgresCredentials(libpq_url(database_url))
    query = credentials.query or {}
    if not credentials.host:
        credentials.host = quote(query.pop("host", "localhost"), safe="")
        credentials.port = int(query.pop("port", credentials.port))
    credentials.username = credentials.username or ""
    credentials.password = credentials.password or ""
    return credentials


def libpq_url(database_url: str) -> str:
    """The URL without SQLAlchemy's `+driver`, which libpq does not know."""
    return re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", database_url)


def mark_start(pipeline: dlt.Pipeline, state_hash: str | None) -> None:
    """Note which committed state (its hash; None: none) the batch that starts now continues."""
    pipeline.set_local_state_val(_CONTINUES, state_hash)


def recover(
    pipeline: dlt.Pipeline,
    committed_state_hash: Callable[[], str | None],
    staging_is_intact: Callable[[], bool] = lambda: True,
) -> LoadInfo | None:
    """Bring the pipeline to where the warehouse is: load what a killed run had extracted, then take over its state.

    What was extracted for another warehouse, or for one that has been emptied or filled from elsewhere since, is
    dropped; so is what may wait half loaded in staging tables that another pipeline has used since. Returns the
    LoadInfo of what was loaded, None where nothing was.
    """
    info = None
    if pipeline.has_pending_data:
        info = _load_pending(pipeline, committed_state_hash()) if staging_is_intact() else None
    pipeline.drop()
    pipeline.sync_destination()
    return info


def _load_pending(pipeline: dlt.Pipeline, state_hash: str | None) -> LoadInfo | None:
    if _continues(pipeline) != state_hash:
        log.warning("dropping a batch that was extracted for another state of the warehouse")
        return None
    try:
        return pipeline.run()
    except PipelineStepFailed as error:
        # It would fail every night; what it held is extracted again, and if that fails too, it is raised.
        log.warning("dropping a batch that cannot be loaded: %s", error)
        return None


def _continues(pipeline: dlt.Pipeline) -> str | None:
    try:
        value: str | None = pipeline.get_local_state_val(_CONTINUES)
    except KeyError:
        return None
    return value
