"""Where pages are kept: `<home>/reports/<report>/<edition>.html`, the newest also as `latest.html`."""

import os
import re
import shutil
from pathlib import Path

from orchestration.settings import settings

LATEST = "latest.html"
PICTURE = ".png"


def folder(report: str) -> Path:
    """The folder of one report's pages, such as `brief` or `watchlist_brief/KRAS G12C`."""
    return settings().home.joinpath("reports", *(_file_name(part) for part in report.split("/")))


def page(report: str, edition: str) -> Path:
    """The file of one edition: a day, or a partition's key."""
    return folder(report) / f"{_file_name(edition)}.html"


def latest(report: str) -> Path | None:
    """The newest page of a report, or None where there is none yet."""
    file = folder(report) / LATEST
    return file if file.is_file() else None


def publish(page: Path) -> Path:
    """Make `page` its report's latest, in one step: a reader never sees half of it."""
    latest = page.with_name(LATEST)
    draft = page.with_name(f".{LATEST}.{os.getpid()}")
    shutil.copyfile(page, draft)
    draft.replace(latest)
    return latest


def _file_name(text: str) -> str:
    """A name that every file system takes, and that stays inside its folder."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "-"
