"""What Kafka needs is found, or said."""

import pytest

from relink import kafka_jars


def test_without_java_it_says_which_command_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(kafka_jars.KafkaFailed, match=r"Java 17 or later.*sudo apt-get install .*maven"):
        kafka_jars.java()


def test_without_maven_it_says_which_command_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    with pytest.raises(kafka_jars.KafkaFailed, match=r"Maven.*sudo apt-get install .*maven"):
        kafka_jars.jars()


def test_the_version_is_that_of_the_pom() -> None:
    assert kafka_jars.version().startswith("4.")
