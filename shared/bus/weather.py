"""What fails without any event being to blame: databases and brokers that are away, in election, or closed to us."""

import asyncpg
from aiokafka.errors import ConsumerStoppedError, KafkaError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.bus.interface import UnknownTopic

TRANSIENT_STATES = ("08", "25006", "40", "53", "55P03", "57P0", "58")
"""SQLSTATE classes that say 'not now': connection, read-only, rollback, resources, lock, shutdown, system."""
BUS_FAULTS = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    KafkaError,
    ConsumerStoppedError,
    UnknownTopic,
)
"""What a bus raises. All of it is waited out, also a missing right or topic: they are given and made while we run."""


def is_transient(error: BaseException) -> bool:
    """Is it the infrastructure that failed, so that the same event may well succeed later?"""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(TRANSIENT_STATES)
    if isinstance(error, asyncpg.PostgresError):
        return (getattr(error, "sqlstate", None) or "").startswith(TRANSIENT_STATES)
    return isinstance(error, (PoolTimeout, *BUS_FAULTS))
