"""Which data the registry serves just now, asked as cheaply as can be; and which of it is here. Without Dagster."""

from psycopg2 import errors

from ingest.sandbox.population import NIGHT_ZERO
from ingest.sandbox.registry import timestamp_of
from ingest.sandbox.state import SandboxState
from orchestration.local.sandbox import state_path
from orchestration.settings import Settings
from orchestration.warehouse import query

LOADED = "select max(data_timestamp) at time zone 'utc' from raw_ctgov.registry_versions"


class RegistryDown(Exception):
    """The registry gave no usable answer; the message says which address was asked and why not."""


def served(config: Settings) -> str | None:
    """The registry's dataTimestamp, UTC without a zone; None where it tells none. Raises RegistryDown.

    The synthetic registry runs only while something loads from it: there the night in its state file answers.
    """
    if config.uses_sandbox:
        return _sandbox_timestamp(config)
    # Imported here: dlt takes a second.
    from ingest.clinicaltrials_gov.client import RegistryClient, RegistryError

    try:
        return RegistryClient(config.api_url, attempts=2, timeout=(5, 10)).version.data_timestamp
    except RegistryError as error:
        raise RegistryDown(str(error)) from error


def loaded(database_url: str) -> str | None:
    """The newest dataTimestamp that a finished load has brought here, UTC without a zone."""
    try:
        ((newest,),) = query(database_url, LOADED)
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None
    return newest.isoformat() if newest else None


def _sandbox_timestamp(config: Settings) -> str:
    state = SandboxState.load(state_path(config))
    wanted = (config.sandbox_studies, config.sandbox_seed)
    night = state.night if state is not None and (state.studies, state.seed) == wanted else 0
    return timestamp_of(NIGHT_ZERO + night)
