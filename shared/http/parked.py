"""Parked keys over HTTP, the same in every service: what could not be applied, to be redriven or discarded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.actor import Actor
from shared.bus import discards, parked
from shared.bus.consumer import Consumer
from shared.bus.parked import ParkedKey
from shared.bus.redrive import ProjectionsFirst, Redriven, redrive
from shared.db import discarded_events, parked_events
from shared.errors import NotFound
from shared.http import Page, PageRequest, Router, Transaction, needs, page_of_rows, refusals
from shared.http.schema import In, Out, Text
from shared.runtime import Runtime

Operator = Annotated[Actor, needs("ops:manage")]
Listener = Literal["projections", "reactions"]


class ParkedOut(Out):
    """A parked key of one listener. `parked_id`, `parked_at`, `error` and `attempts` are those of its first event."""

    parked_id: int
    listener: Listener
    key: str | None
    """The partition key of its events: a case or another aggregate; null for a message that has none to be read."""
    events: int
    types: list[str]
    parked_at: datetime
    error: str
    """Class and line of what went wrong; `KeyIsParked` where it waited behind one that is gone."""
    attempts: int


class RedrivenOut(Out):
    """What a redrive did. With events `left` and nothing that stopped it, redrive once more."""

    applied: int
    left: int
    stopped_by: str | None
    """Class and line of the failure at which it stopped."""


class DiscardIn(In):
    """Why events are given up; `reason` is kept, so it names nobody."""

    reason: Annotated[Text, Field(max_length=500)]
    whole_key: bool = False
    """Not only the first event, but all that are parked behind it."""


class DiscardedOut(Out):
    """The trace of an event that was given up. What it said is gone."""

    discarded_id: int
    listener: Listener
    key: str | None
    event_id: UUID | None
    type: str | None
    topic: str
    partition: int
    offset: int
    error: str
    parked_at: datetime
    discarded_at: datetime
    discarded_by: str
    org_id: UUID | None
    reason: str


class DiscardsOut(Out):
    """How many events were given up, and how many of the key are still parked."""

    discarded: int
    left: int


def parked_router(runtime: Runtime, consumers: Mapping[str, Consumer]) -> Router:
    """The routes of one service, whose listeners are `consumers`."""
    router = Router(tags=["parked"])

    @router.get("/parked", response_model=Page[ParkedOut])
    async def list_parked(
        session: Transaction, actor: Operator, page: PageRequest, listener: Listener | None = None
    ) -> Page[Any]:
        """Keys whose events could not be applied and wait, those parked first ahead. Never what the events say."""
        query = parked.heads()
        if listener is not None:
            query = query.where(parked_events.c.listener == listener)
        return await page_of_rows(session, query, page, by=(parked_events.c.parked_id,))

    @router.get("/parked/{parked_id}", response_model=ParkedOut, responses=refusals(NotFound))
    async def get_parked(parked_id: int, session: Transaction, actor: Operator) -> ParkedKey:
        """One parked key, by the number of its first event."""
        return await _get(session, parked_id)

    @router.post(
        "/parked/{parked_id}/redrive", response_model=RedrivenOut, responses=refusals(NotFound, ProjectionsFirst)
    )
    async def redrive_parked(parked_id: int, session: Transaction, actor: Operator) -> Redriven:
        """Apply the key's events again, in order, each in a transaction of its own, up to the first that fails.

        At most 1,000 in one request. What arrives meanwhile waits behind them.
        """
        key = await _get(session, parked_id)
        return await redrive(consumers[key.listener], runtime.sessions, key)

    @router.post("/parked/{parked_id}/discard", response_model=DiscardsOut, responses=refusals(NotFound))
    async def discard_parked(parked_id: int, body: DiscardIn, session: Transaction, actor: Operator) -> DiscardsOut:
        """Give up the key's first event, or all of them; who, when, why and which events stays on record."""
        key = await _get(session, parked_id)
        decision = discards.Decision(actor.client_id, body.reason, actor.org_id)
        discarded = await discards.discard(session, key, decision, body.whole_key)
        if not discarded:
            raise NotFound
        return DiscardsOut(discarded=discarded, left=await parked.count_of(session, key))

    @router.get("/discarded", response_model=Page[DiscardedOut])
    async def list_discarded(session: Transaction, actor: Operator, page: PageRequest) -> Page[Any]:
        """Events that were given up, in the order in which they were."""
        return await page_of_rows(session, select(discarded_events), page, by=(discarded_events.c.discarded_id,))

    return router


async def _get(session: AsyncSession, parked_id: int) -> ParkedKey:
    if (found := await parked.find(session, parked_id)) is None:
        raise NotFound
    return found
