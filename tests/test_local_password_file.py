"""libpq's password file: other people's lines stay, ours comes first, and libpq itself accepts the result."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.local.password_file import password_file, remember

KEY = b"127.0.0.1:54329:*:bioloupe:"
LINES = st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line and b"\r" not in line), max_size=6)


def _remember(file: Path, password: str = "new") -> bytes:
    remember(file, "127.0.0.1", 54329, "bioloupe", password)
    return file.read_bytes()


@given(before=LINES, after=LINES, ending=st.sampled_from([b"\n", b""]))
def test_other_lines_keep_their_bytes_and_order(
    tmp_path_factory: pytest.TempPathFactory, before: list[bytes], after: list[bytes], ending: bytes
) -> None:
    file = tmp_path_factory.mktemp("home") / ".pgpass"
    others = [line for line in [*before, *after] if not line.startswith(KEY)]
    file.write_bytes(b"\n".join([*before, KEY + b"old", *after]) + ending)
    written = _remember(file)
    assert written.startswith(KEY + b"new\n")
    assert [line for line in written.split(b"\n")[1:] if line] == [line for line in others if line]
    assert _remember(file) == written


def test_a_new_file_is_private_and_nothing_else_stays(tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    assert _remember(file) == KEY + b"new\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [".pgpass"]


def test_an_open_file_is_closed_since_libpq_ignores_it(tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    _remember(file)
    file.chmod(0o644)
    _remember(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "pgpass"
    kept.parent.mkdir()
    kept.write_bytes(b"*:*:*:*:other\n")
    link = tmp_path / ".pgpass"
    link.symlink_to(kept)
    assert _remember(link) == KEY + b"new\n*:*:*:*:other\n"
    assert link.is_symlink()


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGPASSFILE", raising=False)
    assert password_file() == tmp_path / ".pgpass"
    monkeypatch.setenv("PGPASSFILE", "/elsewhere/pgpass")
    assert password_file() == Path("/elsewhere/pgpass")


def test_a_directory_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        _remember(tmp_path / "missing" / ".pgpass")
