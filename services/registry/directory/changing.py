"""One way to change an entry of the directory: its columns, its version, its history; and to say so, if it fits."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.directory.domain import KEPT_INSIDE, State
from services.registry.directory.models import Organization, Programme, Service
from services.registry.directory.schemas import OrganizationOut, ProgrammeOut, ServiceOut
from services.registry.history import actions as history
from shared import outbox
from shared.actor import Actor
from shared.errors import Unprocessable, invalid
from shared.events import Event

JSON_COLUMNS = {
    "identifiers", "contacts", "registrations", "funding", "locations", "schedules", "costs",
    "environmental_screening", "service_map",
}  # fmt: skip
SHOWN: dict[type[Any], type[BaseModel]] = {
    Organization: OrganizationOut,
    Programme: ProgrammeOut,
    Service: ServiceOut,
}
NO_NEWS = {"version", "created_at", "changed_at", "capacity_updated_at"}
"""Fields that change with others and are told by them."""
EVENT_LIMIT = 60_000
"""Bytes that an event's data may have: 64 kB with its envelope."""

Entry = Organization | Programme | Service


def columns_of(body: BaseModel, *leave_out: str) -> dict[str, Any]:
    """What the body says, as the columns of its table hold it."""
    plain = body.model_dump(exclude=JSON_COLUMNS | set(leave_out))
    return plain | body.model_dump(mode="json", include=JSON_COLUMNS)


def id_of(entry: Entry) -> UUID:
    if isinstance(entry, Organization):
        return entry.organization_id
    return entry.programme_id if isinstance(entry, Programme) else entry.service_id


def is_public(entry: Entry) -> bool:
    """Whether everybody who reads the registry sees the entry. What was published stays readable: referrals name it."""
    if isinstance(entry, Organization):
        return not entry.lead
    return entry.state == State.PUBLISHED or (entry.state == State.RETIRED and entry.confirmed_on is not None)


def change(session: AsyncSession, actor: Actor | None, entry: Entry, columns: dict[str, Any]) -> None:
    """The entry holds `columns`, has its next version, and its history says by whom; None: by the system."""
    before = _told(entry)
    for name, value in columns.items():
        setattr(entry, name, value)
    entry.touch()
    _record(session, actor, entry, before, _told(entry))


def begin(session: AsyncSession, actor: Actor, entry: Entry) -> None:
    """The history of a new entry begins with the state it was entered in."""
    if isinstance(entry, Organization):
        _record(session, actor, entry, {}, {"lead": entry.lead})
    else:
        _record(session, actor, entry, {}, {"state": entry.state})


async def say(session: AsyncSession, event: Event) -> None:
    """Publish the event; raises Unprocessable when the entry says more than an event may carry."""
    if len(event.model_dump_json().encode()) > EVENT_LIMIT:
        detail = f"says more than the {EVENT_LIMIT} bytes that can be told to other services"
        raise Unprocessable(errors=[invalid("", detail, "too_long")])
    await outbox.publish(session, event)


def _told(entry: Entry) -> dict[str, Any]:
    """The entry as it is shown: its history speaks of the same fields."""
    return SHOWN[type(entry)].model_validate(entry).model_dump(mode="json", exclude=NO_NEWS)


def _record(
    session: AsyncSession, actor: Actor | None, entry: Entry, before: dict[str, Any], after: dict[str, Any]
) -> None:
    history.record(
        session,
        actor,
        id_of(entry),
        entry.version,
        before,
        after,
        public=is_public(entry),
        kept_inside=KEPT_INSIDE,
        within=("service_map",),
    )
