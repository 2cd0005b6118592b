"""What may go wrong with an export, told apart by whether trying again could help."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ExportError(Exception):
    """The export cannot be made as things stand; trying again changes nothing. The message names the remedy."""


class ExportInterrupted(Exception):
    """The database was busy or went away; trying again may help."""


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what the file system refuses below `directory` into an ExportError with the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL or "No space left on device" in str(error):
            raise ExportError(no_space(directory)) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise ExportError(
                f"{directory} can't be written ({error.strerror}): give this user the right to, "
                "or export elsewhere (--to, BIOLOUPE_EXPORT_DIR)"
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.ENOENT):
            raise ExportError(
                f"{directory} can't be used as a directory ({error.strerror}): choose another (--to, "
                "BIOLOUPE_EXPORT_DIR)"
            ) from error
        raise


def no_space(directory: Path) -> str:
    """What to tell of a full disk."""
    return (
        f"no space is left below {directory} ({shutil.disk_usage(existing(directory)).free / 1e6:,.0f} MB free): "
        "nothing was published, and what was written is removed. Make room, keep fewer exports (--keep), write fewer "
        "formats (--format), or export elsewhere (--to, BIOLOUPE_EXPORT_DIR)."
    )


def existing(directory: Path) -> Path:
    """The nearest directory that exists, `directory` or one above it."""
    return next(path for path in (directory, *directory.parents) if path.exists())
