"""What the doctor thinks of clocks and configurations."""

import pytest

from relink.checks import Level, Unwell, configuration, judge_clock
from services.referral.app import service
from shared.settings import BadSettings, Settings

COMPLETE = {
    "service": "referral",
    "database_url": "postgresql://a:b@127.0.0.1/c",
    "bus_url": "postgresql://a:b@127.0.0.1/c",
    "keys_url": "postgresql://a:b@127.0.0.1/c",
    "key_encryption_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}


@pytest.mark.parametrize(("there", "level"), [(99.0, Level.WARN), (104.5, Level.WARN), (140.0, Level.FAIL)])
def test_a_clock_that_differs_from_the_databases_is_told(there: float, level: Level) -> None:
    with pytest.raises(Unwell, match=r"s from the database's clock") as told:
        judge_clock(101.5, there, 102.0)
    assert told.value.level is level


@pytest.mark.parametrize("there", [100.0, 101.7, 103.9])
def test_a_clock_that_agrees_within_two_seconds_is_well(there: float) -> None:
    judge_clock(101.5, there, 102.0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"database_url": ""}, "RELINK_REFERRAL_DATABASE_URL is not set"),
        ({"keys_url": "mysql://a:secret@b/c"}, "not understood: RELINK_REFERRAL_KEYS_URL"),
        ({"key_encryption_key": "c2VjcmV0"}, "RELINK_REFERRAL_KEY_ENCRYPTION_KEY is no key"),
        ({"key_encryption_key": "secret!"}, "RELINK_REFERRAL_KEY_ENCRYPTION_KEY is no key"),
        ({"issuers": "/nowhere"}, "RELINK_ISSUERS names no file"),
    ],
)
def test_a_configuration_that_cannot_work_is_told_without_what_it_holds(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(Unwell) as unwell:
        configuration(service, Settings.model_validate(COMPLETE | wrong))
    assert unwell.value.level is Level.FAIL
    assert told in str(unwell.value)
    assert "secret" not in str(unwell.value)


def test_a_complete_configuration_is_well() -> None:
    assert configuration(service, Settings.model_validate(COMPLETE)) == "complete, on the postgresql bus"


def test_a_variable_that_holds_nonsense_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELINK_SMALL_CELL", "nonsense")
    monkeypatch.setenv("RELINK_REFERRAL_BUS", "pigeon")
    with pytest.raises(BadSettings) as told:
        Settings.read("referral")
    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == [
        "RELINK_REFERRAL_BUS", "RELINK_SMALL_CELL"
    ]  # fmt: skip
    assert "nonsense" not in str(told.value)
    assert "pigeon" not in str(told.value)
