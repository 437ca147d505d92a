"""How a topic of ours must be, and what is wrong with one that is not."""

from collections.abc import Callable
from dataclasses import dataclass

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from shared.settings import Settings

DAY_MINUTES = 24 * 60
DAY_MS = DAY_MINUTES * 60 * 1000
MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default, which an operator may have lowered: a batch of ours stays below (`sender.BATCH_BYTES`)."""


@dataclass(frozen=True)
class Topic:
    """A topic as the brokers describe it."""

    name: str
    partitions: int
    replication: int
    """Of the partition that has the fewest replicas."""
    config: dict[str, str]


def config_of(settings: Settings) -> dict[str, str]:
    """What a topic is made with."""
    return {
        "min.insync.replicas": str(settings.kafka_min_insync),
        "retention.ms": str(settings.kafka_retention_days * DAY_MS),
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }


def _same(found: str, wanted: str) -> bool:
    return found == wanted


def _at_least(found: str, wanted: str) -> bool:
    return int(found) >= int(wanted)


def _as_long(found: str, wanted: str) -> bool:
    return int(found) == -1 or (wanted != "-1" and int(found) >= int(wanted))


GOOD_ENOUGH: dict[str, Callable[[str, str], bool]] = {
    "min.insync.replicas": _same,  # more would stop us at the loss of one broker, less would lose what was said
    "retention.ms": _as_long,
    "retention.bytes": _as_long,
    "cleanup.policy": _same,  # compaction keeps the last event of a key, and a projection needs all of them
    "max.message.bytes": _at_least,
}


def missing(name: str) -> str:
    return f"topic {name} does not exist, or we may not see it: run relink topics create, or grant Describe on it"


def faults_of(topic: Topic, settings: Settings) -> list[str]:
    """A sentence for each thing that is not as configured, with what to do about it."""
    faults = []
    if topic.partitions < (wanted := settings.kafka_partitions):
        faults.append(
            f"topic {topic.name} has {topic.partitions} partitions instead of {wanted}: add some with kafka-topics"
            f" --alter once all has been read and no worker runs, or set RELINK_KAFKA_PARTITIONS={topic.partitions}"
        )
    if topic.replication < (wanted := settings.kafka_replication):
        faults.append(
            f"topic {topic.name} has {topic.replication} replicas instead of {wanted}: the loss of a broker may lose"
            " events; add replicas with kafka-reassign-partitions"
        )
    for name, value in config_of(settings).items():
        if not GOOD_ENOUGH[name](found := topic.config.get(name, "0"), value):
            faults.append(
                f"topic {topic.name} has {name}={found} instead of {value}: run kafka-configs --alter --topic"
                f" {topic.name} --add-config {name}={value}"
            )
    return faults


def forgetful(kept_minutes: int | None, settings: Settings) -> list[str]:
    """A sentence if the brokers forget where a group was before its messages go; None: we may not ask them."""
    if kept_minutes is None or kept_minutes >= settings.kafka_retention_days * DAY_MINUTES:
        return []
    wanted = settings.kafka_retention_days * DAY_MINUTES
    return [
        f"the brokers forget where a group was that stays away for {kept_minutes // DAY_MINUTES} days, and reactions"
        f" would act again on what is old: set offsets.retention.minutes={wanted} in their configuration"
    ]


WHAT_TO_DO: dict[type[Exception], str] = {
    KafkaConnectionError: "no broker lets us in: see that they run, then RELINK_KAFKA and the certificates, user and"
    " password that go with it; the log names the reason",
    TopicAuthorizationFailedError: "the brokers refuse us a topic: grant what docs/runbook.md lists for this user",
    ClusterAuthorizationFailedError: "the brokers refuse it to this user: grant what docs/runbook.md lists for it",
    InvalidReplicationFactorError: "there are fewer brokers than RELINK_KAFKA_REPLICATION asks replicas for",
}


def explained(error: Exception) -> str:
    """What failed, and what to do about it."""
    return WHAT_TO_DO.get(type(error), f"the brokers answer {type(error).__name__}: docs/runbook.md")
