"""Settings are read from the environment, and can be put back into one."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import Settings, is_loopback


def test_what_a_service_is_told_reaches_it_through_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Settings(
        service="referral",
        origin="https://relink.example",
        issuers=Path("/etc/issuers.json"),
        port=9000,
        bus="kafka",
        kafka="a:1,b:2",
        database_url=SecretStr("postgresql://x"),
        keys_url=None,
    )
    for name, value in told.environment().items():
        assert name.startswith("RELINK_REFERRAL_")
        monkeypatch.setenv(name, value)
    assert Settings.read("referral") == told


def test_its_own_variables_win_over_those_for_all_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELINK_KAFKA", "all:1")
    monkeypatch.setenv("RELINK_ISSUERS", "")
    monkeypatch.setenv("RELINK_REGISTRY_KAFKA", "own:1")
    monkeypatch.setenv("RELINK_MONITORING_KAFKA", "")
    assert Settings.read("registry").kafka == "own:1"
    assert Settings.read("monitoring").kafka == "all:1"
    assert Settings.read("registry").issuers is None


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "192.0.2.1", "relink.example", "")],  # noqa: S104  # is refused
)
def test_only_addresses_of_this_machine_are_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer
