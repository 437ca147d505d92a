"""The transactional outbox: an event is written in the transaction of the change it tells about, or not at all.

Events are gathered while the transaction runs and written just before it commits, with everything else that it writes
(`shared.writes`). The order among them is the order of `publish`; the order among transactions on one aggregate is that
of the aggregate's row lock.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from shared import clock, telemetry, writes
from shared.db import outbox
from shared.errors import Unprocessable
from shared.events import Event
from shared.ids import new_id
from shared.writes import INSERT, Change

MOST_BYTES = 63_000
"""Of an event's data: with attributes it stays below 64 kB. One that a broker refuses would hold up all later ones."""
_ROWS = "outbox rows"
_LAST = "last event"


async def publish(session: AsyncSession, event: Event) -> UUID:
    """Say `event` when, and only when, the transaction of `session` commits. The event's id comes back."""
    event_id, data = new_id(), event.model_dump_json()
    if len(data.encode()) > MOST_BYTES:
        raise Unprocessable("This is more than an event can tell: use fewer or shorter entries")
    session.info.setdefault(_ROWS, []).append(
        {
            "event_id": event_id,
            "type": event.type_name(),
            "subject": event.subject,
            "key": event.partition_key,
            "version": event.version,
            "occurred_at": clock.now(),
            "traceparent": telemetry.traceparent(),
            "data": data,
        }
    )
    session.info[_LAST] = f"{event.speaker()}:{event_id}"
    return event_id


def last_event(session: AsyncSession) -> str | None:
    """`<service>:<event id>` of the last event published in this session (the answer's `Relink-Event`)."""
    last: str | None = session.info.get(_LAST)
    return last


class RelinkSession(Session):
    """The synchronous half of every session: gathers what is to be written until it must be."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        super().flush(objects)
        writes.flush(self)

    def rollback(self) -> None:
        super().rollback()
        _say_nothing(self)  # where nothing was asked yet there was no transaction, and so no event of its end


@sqlalchemy_event.listens_for(RelinkSession, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction():
        session.flush()
    else:
        said = session.info.pop(_ROWS, [])
        writes.commit(session, *((Change(INSERT, outbox, tuple(row)), row) for row in said))


@sqlalchemy_event.listens_for(RelinkSession, "after_soft_rollback")
def _forget(session: Session, _: SessionTransaction) -> None:
    writes.forget(session)


@sqlalchemy_event.listens_for(RelinkSession, "after_rollback")
def _say_nothing(session: Session) -> None:
    writes.forget(session)
    session.info.pop(_ROWS, None)
    session.info.pop(_LAST, None)
