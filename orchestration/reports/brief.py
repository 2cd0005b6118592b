"""The nightly brief as a report: its facts and sections, put together from their tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestration.reports.facts import sentence
from orchestration.reports.report import Report
from orchestration.reports.sections import SECTIONS
from orchestration.settings import PUBLIC_CTGOV_API_URL, Settings

if TYPE_CHECKING:
    from polars import DataFrame

NAME = "brief"
FACTS = "headline_facts"
REGISTRY_ZONE = ZoneInfo("America/New_York")
STUDY_URL = "https://clinicaltrials.gov/study/{}"


def today() -> date:
    """The day of the nightly schedule, which is the registry's."""
    return datetime.now(REGISTRY_ZONE).date()


def brief(day: date, tables: Mapping[str, DataFrame], checks: str, config: Settings) -> Report:
    """The report of one day. `tables` holds each section's by its name, and the headline facts."""
    facts = dict(tables[FACTS].iter_rows())
    return Report(
        title=f"Nightly brief, {day.day} {day:%B %Y}",
        subtitle=sentence(facts),
        facts=[*facts.items(), ("Checks", checks)],
        sections=[section.section(tables[section.name]) for section in SECTIONS],
        footer=source(config),
        study_url=STUDY_URL if is_public(config) else None,
    )


def is_public(config: Settings) -> bool:
    return not config.uses_sandbox and config.api_url == PUBLIC_CTGOV_API_URL


def source(config: Settings) -> str:
    if config.uses_sandbox:
        return "Made by bioloupe-data from the synthetic studies of its sandbox: none of these trials exists."
    where = "ClinicalTrials.gov" if is_public(config) else config.api_url
    return f"Made by bioloupe-data. Source: {where}."
