"""Parked events: what could not be applied, kept in order per key until somebody redrives or discards it."""

import base64
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.bus.interface import Message
from shared.db import parked_events as table

PARKED_KEYS = text(
    "SELECT DISTINCT key FROM parked_events WHERE listener = ANY(CAST(:listeners AS text[]))"
    " AND key = ANY(CAST(:keys AS text[]))"
)
"""As arrays: a statement that is the same for a batch of any size."""


class KeyIsParked(Exception):
    """An earlier event of this key is parked, so this one waits behind it."""


def key_text(key: bytes | None) -> str | None:
    """The key as text; None when there is none or no text column takes it, and the message is parked alone."""
    try:
        decoded = key.decode() if key else None
    except UnicodeDecodeError:
        return None
    return None if decoded is None or "\0" in decoded else decoded


async def park(
    session: AsyncSession, listener: str, message: Message, event_id: UUID | None, error: Exception, attempts: int
) -> bool:
    """Set the message aside. Met again at the same place on the bus (a crash before its commit): only once.

    Returns whether it is new here.
    """
    statement = insert(table).values(
        listener=listener,
        key=key_text(message.key),
        event_id=event_id,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        message=_to_json(message),
        error=_where(error),
        attempts=attempts,
        parked_at=clock.now(),
    )
    return await session.scalar(statement.on_conflict_do_nothing().returning(table.c.parked_id)) is not None


async def parked_keys(session: AsyncSession, listeners: list[str], keys: Iterable[bytes | None]) -> set[str]:
    """Which of these keys are parked for one of the listeners."""
    texts = [known for key in set(keys) if (known := key_text(key))]
    return set(await session.scalars(PARKED_KEYS, {"listeners": listeners, "keys": texts}))


async def first(session: AsyncSession, listener: str, key: str) -> tuple[int, Message] | None:
    """The earliest event parked under the key: (parked id, message)."""
    query = select(table).where(table.c.listener == listener, table.c.key == key).order_by(table.c.parked_id).limit(1)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row.parked_id, _message(row))


async def forget(session: AsyncSession, parked_id: int) -> bool:
    """It is no longer parked; False when it was not any more. Who asks meanwhile waits for this transaction."""
    gone = delete(table).where(table.c.parked_id == parked_id).returning(table.c.parked_id)
    return await session.scalar(gone) is not None


async def count(session: AsyncSession) -> int:
    return (await session.scalar(select(func.count()).select_from(table))) or 0


def _where(error: Exception) -> str:
    """The class of the error and the line it came from. Its text may hold data, so it is not kept."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    at = f" at {place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}" if place else ""
    return f"{type(error).__name__}{at}"


def _encode(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _decode(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)


def _to_json(message: Message) -> dict[str, Any]:
    return {
        "key": _encode(message.key),
        "value": _encode(message.value),
        "headers": [[_encode(name.encode()), _encode(value)] for name, value in message.headers],
    }


def _message(row: Any) -> Message:
    kept = row.message
    return Message(
        topic=row.topic,
        key=_decode(kept["key"]),
        value=_decode(kept["value"]),
        headers=[((_decode(name) or b"").decode(), _decode(value)) for name, value in kept["headers"]],
        partition=row.partition,
        offset=row.offset,
    )
