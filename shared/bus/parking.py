"""Parked events: what could not be applied, kept in order per key until somebody redrives or discards it."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select

from shared.bus import discards
from shared.bus.envelope import NotACloudEvent, head
from shared.bus.interface import Message
from shared.bus.parked import ParkedKey
from shared.db import parked_events as table

_TYPE = re.compile(r"[A-Za-z0-9_.]{1,200}")
PARKED_KEYS = text(
    "SELECT DISTINCT listener, key FROM parked_events WHERE listener = ANY(CAST(:listeners AS text[]))"
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


def key_texts(keys: Iterable[bytes | None]) -> list[str]:
    """Each once, without those that are no text."""
    return [known for key in set(keys) if (known := key_text(key))]


async def park(
    session: AsyncSession, listener: str, message: Message, event_id: UUID | None, error: Exception, attempts: int
) -> bool:
    """Set the message aside. Met again at the same place on the bus (a crash before its commit): only once.

    Returns whether it is new here. What was discarded is not; where an event can be read, its row in the inbox says so.
    """
    if event_id is None and await discards.has(session, listener, message):
        return False
    statement = insert(table).values(
        listener=listener,
        key=key_text(message.key),
        event_id=event_id,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        type=_type_of(message),
        message=_to_json(message),
        error=where(error),
        attempts=attempts,
    )
    return await session.scalar(statement.on_conflict_do_nothing().returning(table.c.parked_id)) is not None


async def parked_keys(session: AsyncSession, listeners: list[str], keys: Iterable[bytes | None]) -> set[str]:
    """Which of these keys are parked for one of the listeners.

    They stay so until the transaction of `session` ends: a redrive that is about to take the last event of one waits
    for what is going to be parked behind it, and while it runs an event this waits for it.
    """
    found = (await session.execute(PARKED_KEYS, {"listeners": listeners, "keys": key_texts(keys)})).all()
    return {key for listener, key in found if await session.scalar(_first(listener, key).with_for_update(read=True))}


def _first(listener: str, key: str) -> Select[tuple[int]]:
    """The number of the earliest event parked under the key."""
    query = select(table.c.parked_id).where(table.c.listener == listener, table.c.key == key)
    return query.order_by(table.c.parked_id).limit(1)


@dataclass(frozen=True)
class ParkedEvent:
    parked_id: int
    event_id: UUID | None
    message: Message


async def take(session: AsyncSession, parked: ParkedKey) -> ParkedEvent | None:
    """The earliest event of the key, no longer parked once the transaction commits; who else asks for it waits."""
    number = _first(parked.listener, parked.key) if parked.key else _alone(parked.parked_id)
    if (parked_id := await session.scalar(number.with_for_update())) is None:
        return None
    gone = delete(table).where(table.c.parked_id == parked_id).returning(table)
    row = (await session.execute(gone)).one()
    return ParkedEvent(row.parked_id, row.event_id, _message(row))


def _alone(parked_id: int) -> Select[tuple[int]]:
    return select(table.c.parked_id).where(table.c.parked_id == parked_id)


async def failed_again(session: AsyncSession, parked_id: int, error: Exception) -> None:
    """Note that one more attempt was in vain, and where."""
    again = update(table).where(table.c.parked_id == parked_id)
    await session.execute(again.values(error=where(error), attempts=table.c.attempts + 1))


def where(error: Exception) -> str:
    """The class of the error and the line it came from. Its text may hold data, so it is not kept."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    at = f" at {place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}" if place else ""
    return f"{type(error).__name__}{at}"


def _type_of(message: Message) -> str | None:
    """The event's type; None when it cannot be read, or is no name that one of ours could have."""
    try:
        type_name = head(message).type
    except NotACloudEvent:
        return None
    return type_name if _TYPE.fullmatch(type_name) else None


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
