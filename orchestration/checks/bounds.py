"""How far each table may move from one night to the next, where the default does not fit."""

from math import inf

from orchestration.checks.verdicts import Bounds

DEFAULT = Bounds()
# Rows are added and updated there, never removed: one that is missing was lost. A new registry record is loaded
# beside the others, so a first load that was killed may well double the table.
_ONLY_GROWS = Bounds(shrink=0.0, growth=10.0)
# A log is appended to by every night, and by a busy one more than by all before it.
_LOG = Bounds(shrink=0.0, growth=inf)
BY_SCHEMA = {"raw_ctgov": _ONLY_GROWS, "enrichment": _LOG}
BY_TABLE = {
    # One row more or less for every rejected record and every load: a burst is worth a look.
    "raw_ctgov.rejected_studies": Bounds(shrink=0.0, growth=0.5),
    "raw_ctgov.registry_versions": _LOG,
    "raw_ctgov.reconciliations": _LOG,
    "analytics.dim_trial_versions": _LOG,
    "analytics.fct_trial_changes": _LOG,
    "analytics.fct_llm_spend": _LOG,
    # Added up anew every night, so a trial that moves to another week or sponsor may take a row away.
    "analytics.fct_sponsor_moves": Bounds(growth=inf),
}


def bounds_of(relation: str) -> Bounds:
    """The bounds of `schema.table`; a branch's schema, `<branch>__ctgov`, has those of the schema it stands for."""
    schema, table = relation.split(".")
    schema = schema.split("__")[-1]
    return BY_TABLE.get(f"{schema}.{table}") or BY_SCHEMA.get(schema, DEFAULT)
