"""ClinicalTrials.gov, API v2, into `raw_ctgov`."""

from ingest.clinicaltrials_gov.backfill import WindowLoad
from ingest.clinicaltrials_gov.client import RegistryClient, RegistryError
from ingest.clinicaltrials_gov.load import StudyLoad, load, load_batches
from ingest.clinicaltrials_gov.loading import BatchSummary, Loading, LoadProgress, LoadSummary
from ingest.clinicaltrials_gov.reconcile import Reconcile, Reconciliation
from ingest.clinicaltrials_gov.source import clinicaltrials_gov
from ingest.clinicaltrials_gov.warehouse import LoadInProgress

__all__ = [
    "BatchSummary",
    "LoadInProgress",
    "LoadProgress",
    "LoadSummary",
    "Loading",
    "Reconcile",
    "Reconciliation",
    "RegistryClient",
    "RegistryError",
    "StudyLoad",
    "WindowLoad",
    "clinicaltrials_gov",
    "load",
    "load_batches",
]
