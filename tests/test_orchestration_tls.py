"""What a database URL must ask for, by where it leads."""

import pytest

from orchestration.settings import ConfigurationError, read_settings
from orchestration.tls import shortcoming

pytestmark = pytest.mark.usefixtures("own_settings")
REMOTE = "postgresql://u:hidden@db.example.com/d"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@127.0.0.1:5432/d",
        "postgresql://u:p@localhost/d",
        "postgresql://u:p@[::1]/d",
        "postgresql:///d?host=%2Fvar%2Frun%2Fpostgresql",
        "postgresql:///d",
        REMOTE + "?sslmode=verify-full&sslrootcert=/a.pem",
    ],
)
def test_this_machine_and_verified_servers_are_trusted(url: str) -> None:
    assert shortcoming(url, "verify-full") is None


@pytest.mark.parametrize("mode", ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"])
def test_another_machine_must_be_verified(mode: str) -> None:
    found = shortcoming(REMOTE + mode, "verify-full")
    assert found
    assert "sslmode=verify-full" in found
    assert "hidden" not in found


def test_one_unsafe_host_of_several_is_enough() -> None:
    assert shortcoming("postgresql:///d?host=127.0.0.1,db.example.com", "verify-full")


def test_the_demand_can_be_lowered() -> None:
    assert shortcoming(REMOTE + "?sslmode=require", "require") is None
    assert shortcoming(REMOTE, "require")
    assert shortcoming(REMOTE, "off") is None


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DAGSTER_DATABASE_URL"])
@pytest.mark.parametrize("environment", [{"BIOLOUPE_ENV": "prod"}, {"BIOLOUPE_ENV": "staging", "BIOLOUPE_BRANCH": "x"}])
def test_production_s_data_is_not_read_over_a_plain_connection(variable: str, environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable}: .*BIOLOUPE_DB_TLS") as caught:
        read_settings(**environment, **{variable: REMOTE})
    assert "hidden" not in str(caught.value)
    read_settings(**environment, **{variable: REMOTE, "BIOLOUPE_DB_TLS": "off"})


@pytest.mark.parametrize("environment", ["dev", "ci"])
def test_elsewhere_it_is_up_to_the_url(environment: str) -> None:
    assert read_settings(BIOLOUPE_ENV=environment, DATABASE_URL=REMOTE).database_url
