"""Databases: engines, sessions, and the tables that every service has (outbox, inbox, parking, timers, answers)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from shared import clock

Moment = TIMESTAMP(timezone=True)
TYPES: dict[Any, Any] = {
    str: Text(),
    datetime: Moment,
    date: Date(),
    UUID: PgUuid(),
    dict[str, Any]: JSONB(none_as_null=True),
    list[Any]: JSONB(none_as_null=True),
    list[dict[str, Any]]: JSONB(none_as_null=True),
    dict[str, str]: JSONB(none_as_null=True),
    list[str]: ARRAY(Text()),
    list[UUID]: ARRAY(PgUuid()),
    bytes: LargeBinary(),
}
"""Python type → column type, the same in every service."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_plumbing = MetaData(naming_convention=NAMES)

outbox = Table(
    "outbox",
    _plumbing,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", PgUuid(), nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("subject", PgUuid(), nullable=False),
    Column("key", PgUuid(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column(
        "written_at", Moment, nullable=False, server_default=text("clock_timestamp()")
    ),  # machine time: ages, not business
    Column("traceparent", Text),
    Column("data", Text, nullable=False),
    Column("published_at", Moment),
    Index("ix_outbox_unpublished", "seq", postgresql_where=text("published_at IS NULL")),
)
inbox = Table(
    "inbox",
    _plumbing,
    Column("listener", Text, primary_key=True),
    Column("event_id", PgUuid(), primary_key=True),
)
parked_events = Table(
    "parked_events",
    _plumbing,
    Column("parked_id", BigInteger, Identity(always=True), primary_key=True),
    Column("listener", Text, nullable=False),
    Column("key", Text),  # None: a message without a readable key, parked alone
    Column("event_id", PgUuid()),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("type", Text),  # None: the message cannot be read
    Column("message", JSONB, nullable=False),
    Column("error", Text, nullable=False),  # the class of what went wrong and where, never its text: that may hold data
    Column("attempts", Integer, nullable=False),
    Column(
        "parked_at", Moment, nullable=False, server_default=text("clock_timestamp()")
    ),  # machine time, for the brake
    Index("ix_parked_events_listener_key", "listener", "key", "parked_id"),
    Index("ix_parked_events_first", "listener", "parked_at", postgresql_where=text("attempts > 0")),
    UniqueConstraint("listener", "topic", "partition", "offset"),
)
discarded_events = Table(
    "discarded_events",
    _plumbing,
    Column("discarded_id", BigInteger, Identity(always=True), primary_key=True),
    Column("listener", Text, nullable=False),
    Column("key", Text),
    Column("event_id", PgUuid()),  # None: the message could not be read
    Column("type", Text),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("parked_at", Moment, nullable=False),
    Column("discarded_at", Moment, nullable=False, server_default=text("clock_timestamp()")),
    Column("discarded_by", Text, nullable=False),  # the client, or who gave the command
    Column("org_id", PgUuid()),  # the client's organisation; None: by command
    Column("reason", Text, nullable=False),
    Index("ix_discarded_events_listener_event_id", "listener", "event_id"),
    Index("ix_discarded_events_place", "listener", "topic", "partition", "offset"),
)
timers = Table(
    "timers",
    _plumbing,
    Column("kind", Text, primary_key=True),
    Column("aggregate_id", PgUuid(), primary_key=True),
    Column("due_at", Moment, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
)
idempotency_keys = Table(
    "idempotency_keys",
    _plumbing,
    Column("org_id", PgUuid(), primary_key=True),  # client ids are unique for each issuer only
    Column("client_id", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("case_id", PgUuid()),  # of the case whose key seals the body, if it tells of a person
    Column("kept_at", Moment, nullable=False, index=True),
)
keys_metadata = MetaData(naming_convention=NAMES)
case_keys = Table(
    "case_keys",
    keys_metadata,
    Column("case_id", PgUuid(), primary_key=True),
    Column("wrapped", LargeBinary),  # None once destroyed
    Column("created_at", Moment, nullable=False),
    Column("destroyed_at", Moment),
    UniqueConstraint("wrapped"),
)

NOTIFY_TRIGGERS = {"outbox": "outbox", "inbox": "heard", "timers": "timers"}
"""Table → channel on which inserts are announced; the first migration of a service makes the triggers."""


def service_metadata() -> MetaData:
    """A service's own metadata, with the plumbing tables in it."""
    metadata = MetaData(naming_convention=NAMES)
    for table in _plumbing.sorted_tables:
        table.to_metadata(metadata)
    return metadata


class Versioned:
    """Columns of a mutable resource: `version` is its ETag and the `aggregateversion` of its events."""

    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment, default=clock.now)
    changed_at: Mapped[datetime] = mapped_column(Moment, default=clock.now)

    def touch(self) -> None:
        """Say that the row changed: next version, now."""
        self.version += 1
        self.changed_at = clock.now()


def engine_for(url: str, pool_size: int = 5, **options: Any) -> AsyncEngine:
    """An engine on asyncpg for a `postgresql://` address; sessions run in UTC and wait ten seconds for a lock."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # an error's text must not hold what was about to be stored
        connect_args={"server_settings": {"timezone": "UTC", "lock_timeout": "10s"}},
        **options,
    )
