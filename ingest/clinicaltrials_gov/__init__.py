"""ClinicalTrials.gov, API v2, into `raw_ctgov`."""

from ingest.clinicaltrials_gov.client import RegistryClient, RegistryError
from ingest.clinicaltrials_gov.load import (
    BatchSummary,
    LoadProgress,
    LoadSummary,
    StudyLoad,
    load,
    load_batches,
)
from ingest.clinicaltrials_gov.source import clinicaltrials_gov
from ingest.clinicaltrials_gov.warehouse import LoadInProgress

__all__ = [
    "BatchSummary",
    "LoadInProgress",
    "LoadProgress",
    "LoadSummary",
    "RegistryClient",
    "RegistryError",
    "StudyLoad",
    "clinicaltrials_gov",
    "load",
    "load_batches",
]
