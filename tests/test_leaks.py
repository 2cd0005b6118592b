"""Secrets: where they may not stand, and that what looks for them finds them."""

import base64
import json
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from orchestration.settings import ConfigurationError, Settings, read_settings
from orchestration.warehouse import connect, normalised, without_password
from tests import leaks

SECRET = "p@ss/w%rd#7"


def test_a_secret_is_found_in_files_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "plain.log").write_text(f"x {SECRET} x")
    (tmp_path / "url.log").write_text("postgresql://u:p%40ss%2Fw%25rd%237@h/d")
    (tmp_path / "packed").write_bytes(zlib.compress(SECRET.encode()))
    (tmp_path / "clean.log").write_text("p@ss")
    found = leaks.in_files([SECRET], tmp_path)
    assert [Path(line.split(": ")[0]).name for line in found] == ["packed", "plain.log", "url.log"]
    assert leaks.in_files([SECRET], tmp_path, but=[tmp_path / "packed", tmp_path]) == []


@pytest.mark.integration
def test_a_secret_is_found_in_a_database_in_every_packing(warehouse_url: str) -> None:
    packed = zlib.compress(json.dumps({"password": SECRET}).encode())
    with closing(connect(warehouse_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create table kept (as_text text, as_bytes bytea)")
        connection.commit()
        assert leaks.in_database([SECRET], warehouse_url) == []
        rows = [(SECRET, None), (None, packed), (base64.b64encode(packed).decode(), None), ("clean", b"clean")]
        cursor.executemany("insert into kept values (%s, %s)", rows)
        connection.commit()
    assert len(leaks.in_database([SECRET], warehouse_url)) == 3


@pytest.mark.usefixtures("own_settings")
@pytest.mark.parametrize("secret", [n for n, f in Settings.model_fields.items() if "SecretStr" in str(f.annotation)])
def test_no_setting_shows_its_secret(secret: str) -> None:
    variable = str(Settings.model_fields[secret].validation_alias)
    value = f"postgresql://u:{SECRET}@db.example.com/d"
    try:
        shown = repr(read_settings(BIOLOUPE_ENV="prod", **{variable: value}))
    except ConfigurationError as error:
        shown = str(error)
    assert SECRET not in shown
    assert "p@ss" not in shown


@pytest.mark.parametrize("password", [SECRET, "p@ss", "p/ss", "p:ss", "p#ss", "p?ss", "p ss", "p%zzss"])
def test_a_password_that_nobody_encoded_is_not_told_either(password: str) -> None:
    """libpq takes what follows a stray @ or / for a host, a port or a database, and says so."""
    url = f"postgresql://u:Zebra{password}Zebra@127.0.0.1:1/d"
    with pytest.raises(ConfigurationError) as caught:
        connect(normalised(url, "DATABASE_URL"))
    assert "Zebra" not in str(caught.value)
    assert "Zebra" not in without_password(url)
