"""One step of a referral: what changed, why and by whom; and the way every step ends: clocks, history, event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.places import actions as places
from services.referral.places.domain import PlaceState
from services.referral.referrals import schedule
from services.referral.referrals.deadlines import Deadline
from services.referral.referrals.domain import FINAL, OPEN, Status
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import HistoryEntry
from services.referral.referrals.sealing import seal_words
from services.referral.tables import Base
from shared import clock, outbox, writes
from shared.events import Event, leaves
from shared.events import referral as events
from shared.ids import new_id

HISTORY = Base.metadata.tables[HistoryEntry.__tablename__]
EVENTS: Mapping[str, type[Event]] = {event.__name__: event for event in leaves(events._Referral)}
"""The events about a referral by their names, as the transition table has them."""


@dataclass
class Step:
    """Begun with what was there before; an effect fills in what came of it."""

    session: AsyncSession
    journey: Journey
    what: str
    by: UUID | None
    """The organisation that acts; None: the system."""
    reason: str | None = None
    words: dict[str, Any] | None = None
    """What a person wrote; sealed."""
    details: dict[str, Any] = field(default_factory=dict)
    """Codes and dates for the history."""
    says: dict[str, Any] = field(default_factory=dict)
    """Fields of the event beyond those every referral event has."""
    freed: UUID | None = None
    """The service at which the step freed a place."""
    anew: frozenset[Deadline] = frozenset()
    fired: Deadline | None = None
    before: Status = field(init=False)
    acted_task_id: UUID | None = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.journey.referral.state
        self.acted_task_id = self.journey.referral.task_id

    async def move_place(self, to: PlaceState) -> None:
        """Move the referral's claim under the ledger's lock, and remember whether that freed a place."""
        claim = self.journey.claim
        if claim is None or claim.place is to:
            return
        ledger = (await places.lock(self.session, claim.service_id))[claim.service_id]
        if await places.move(self.session, ledger, claim, to):
            self.freed = claim.service_id

    async def release_place(self) -> None:
        claim = self.journey.claim
        if claim is not None and await places.release(self.session, claim):
            self.freed = claim.service_id

    async def enter(self, status: Status) -> None:
        """The referral, and with it its current task, goes into this status. A final one gives its place back."""
        referral, task = self.journey.referral, self.journey.task
        now = clock.now()
        if status in FINAL and self.before in OPEN:
            await self.release_place()
            referral.ended_at = now
            self.journey.case.open_referrals -= 1
        if status is not self.before:
            referral.reason = self.reason
        referral.status = status
        self.journey.settle_parts()
        if task is not None:
            task.state = status
            if status in FINAL:
                task.ended_at, task.reason = task.ended_at or now, self.reason or task.reason

    @property
    def shifts_parts(self) -> bool:
        """Another task is the current one, or the referral has ended: somebody has a new part, or has lost his."""
        referral = self.journey.referral
        return referral.task_id != self.acted_task_id or (referral.state in FINAL and referral.state is not self.before)

    async def finish(self, event: str) -> None:
        """Settle the clocks, write the history, and say the event: the last of the transaction."""
        await self.note()
        await self.say(event)

    async def say(self, event: str) -> None:
        """Say the event, as the referral stands after `note`."""
        referral, task = self.journey.referral, self.journey.current()
        told = {
            "version": referral.version,
            "referral_id": referral.referral_id,
            "case_id": referral.case_id,
            "occurred_at": referral.changed_at,
            "status": referral.status,
            "service_id": referral.service_id,
            "need": referral.need_type,
            "priority": referral.priority,
            "owner_id": referral.owner_id,
            "organization_id": task.organization_id,
            "acted_by": self.by,
            "leg": task.leg,
            "place": self.journey.shown_place,
            "freed_service_id": self.freed,
            "reason": self.reason,
        }
        await outbox.publish(self.session, EVENTS[event].model_validate(told | self.says))

    async def note(self) -> None:
        """The next version of the referral, with its entry in the history; nothing is said."""
        referral, journey = self.journey.referral, self.journey
        if journey.tasks:
            await schedule.settle(self.session, journey, anew=self.anew, fired=self.fired)
        referral.touch()
        entry_id = new_id()
        row = {
            "entry_id": entry_id,
            "referral_id": referral.referral_id,
            "version": referral.version,
            "at": referral.changed_at,
            "what": self.what,
            "by": self.by,
            "from_status": self.before,
            "to_status": referral.status,
            "task_id": referral.task_id,
            "acted_task_id": self.acted_task_id,
            "place": None if journey.claim is None else journey.shown_place,
            "reason": self.reason,
            "details": self.details,
            "words": await seal_words(self.session, referral.case_id, entry_id, self.words) if self.words else None,
        }
        writes.insert(self.session, HISTORY, row)
