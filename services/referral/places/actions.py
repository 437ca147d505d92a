"""Taking, giving back and queueing for places. The ledger's row lock is the last of an action: case, referral, ledger.

Whenever the ledger changes PlacesChanged is said at once, so before the event of the referral that changed it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.known import queries as known
from services.referral.places import queries
from services.referral.places.domain import CLAIM_MOVES, TAKEN, URGENCY, PlaceState, newcomer_gets_a_place
from services.referral.places.models import Claim, Ledger
from shared import clock, outbox
from shared.events.referral import PlacesChanged


class ImpossibleClaim(Exception):
    """A claim was moved in a way that `CLAIM_MOVES` does not know: an error of ours."""


_LOCKED = (
    select(Ledger)
    .where(Ledger.service_id == bindparam("of_service", type_=PgUuid()))
    .with_for_update()
    .execution_options(populate_existing=True)
)


async def lock(
    session: AsyncSession,
    *service_ids: UUID,
    locked: Mapping[UUID, Ledger] = MappingProxyType({}),
    heard: Mapping[UUID, int | None] = MappingProxyType({}),
) -> dict[UUID, Ledger]:
    """The ledgers of these services under their locks, with the number of places now set aside.

    If that number changed since, whoever queues may have the places that are free, whatever he let pass before. The
    caller may have `locked` some already; where one says what the caller has `heard` the number is not read again.
    """
    ledgers = {}
    for service_id in sorted(set(service_ids)):
        ledger = ledgers[service_id] = locked.get(service_id) or await lock_row(session, service_id)
        if service_id in heard and heard[service_id] == ledger.set_aside:
            continue
        service = await known.get_service(session, service_id)
        set_aside = None if service is None else service.set_aside
        if ledger.set_aside != set_aside:
            ledger.set_aside = set_aside
            await _forget_passed_over(session, service_id)
            await _say(session, ledger)
    return ledgers


async def lock_row(session: AsyncSession, service_id: UUID) -> Ledger:
    """The ledger under its lock, with the number of places that it was last told; nothing is said."""
    asked = {"of_service": service_id}
    if (ledger := (await session.scalars(_LOCKED, asked)).one_or_none()) is None:
        now = clock.now()
        new = insert(Ledger).values(
            service_id=service_id, set_aside=None, held=0, offered=0, used=0, queued=0, version=1,
            created_at=now, changed_at=now,
        )  # fmt: skip
        await session.execute(new.on_conflict_do_nothing())
        ledger = (await session.scalars(_LOCKED, asked)).one()
    return ledger


async def can_hold(session: AsyncSession, ledger: Ledger) -> bool:
    """A newcomer would get a place now."""
    waiting = 0 if ledger.queued == 0 else await queries.waiting(session, ledger.service_id)
    return newcomer_gets_a_place(ledger.counts, waiting)


async def claim(
    session: AsyncSession, ledger: Ledger, referral_id: UUID, case_id: UUID, priority: str, *, vulnerable: bool
) -> Claim:
    """A new referral's claim: a place is held for it, or it queues if there is none for a newcomer."""
    state = PlaceState.HELD if await can_hold(session, ledger) else PlaceState.QUEUED
    made = Claim(
        referral_id=referral_id,
        case_id=case_id,
        service_id=ledger.service_id,
        state=state,
        priority=priority,
        urgency=URGENCY[priority],
        vulnerable=vulnerable,
        declines=0,
        passed_over=False,
        queued_at=clock.now(),
    )
    session.add(made)
    _count(ledger, state, 1)
    await _say_if_counted(session, ledger)
    return made


async def claim_again(session: AsyncSession, ledger: Ledger, claim: Claim, *, vulnerable: bool) -> None:
    """A released claim claims anew, at this service, like a newcomer."""
    if claim.place is not PlaceState.RELEASED:
        raise ImpossibleClaim
    state = PlaceState.HELD if await can_hold(session, ledger) else PlaceState.QUEUED
    claim.service_id, claim.state = ledger.service_id, state
    claim.vulnerable, claim.declines, claim.passed_over, claim.queued_at = vulnerable, 0, False, clock.now()
    _count(ledger, state, 1)
    await _say_if_counted(session, ledger)


async def move(session: AsyncSession, ledger: Ledger, claim: Claim, to: PlaceState) -> bool:
    """Move the claim; True if that freed a place, which then goes to the queue.

    Whoever gives up a place of its own accord is not offered the same one again.
    """
    before = claim.place
    if to not in CLAIM_MOVES[before] or claim.service_id != ledger.service_id:
        raise ImpossibleClaim
    claim.state = to
    _count(ledger, before, -1)
    _count(ledger, to, 1)
    freed = before in TAKEN and to not in TAKEN
    if to is PlaceState.QUEUED:
        claim.queued_at = clock.now()
        claim.passed_over = before in TAKEN
        claim.declines += before is PlaceState.OFFERED
    elif freed:
        await _forget_passed_over(session, ledger.service_id)
    await _say_if_counted(session, ledger)
    return freed


async def release(session: AsyncSession, claim: Claim) -> bool:
    """Give back whatever the claim has, under the ledger's lock; True if that freed a place."""
    ledger = (await lock(session, claim.service_id))[claim.service_id]
    if claim.place is PlaceState.RELEASED:
        return False
    return await move(session, ledger, claim, PlaceState.RELEASED)


async def screened(session: AsyncSession, case_id: UUID, *, vulnerable: bool) -> None:
    """A new vulnerability screening of the case changes its turn wherever it queues."""
    await session.execute(
        update(Claim)
        .where(Claim.case_id == case_id, Claim.vulnerable.is_(not vulnerable))
        .values(vulnerable=vulnerable)
        .execution_options(synchronize_session=False)
    )


async def _forget_passed_over(session: AsyncSession, service_id: UUID) -> None:
    """Another place is free: everybody who queues may have it."""
    await session.execute(
        update(Claim)
        .where(Claim.service_id == service_id, Claim.passed_over)
        .values(passed_over=False)
        .execution_options(synchronize_session="fetch")
    )


def _count(ledger: Ledger, state: PlaceState, difference: int) -> None:
    if state is not PlaceState.RELEASED:
        setattr(ledger, state.value, getattr(ledger, state.value) + difference)


async def _say_if_counted(session: AsyncSession, ledger: Ledger) -> None:
    """Where places are not counted nobody needs to hear how many are taken."""
    if ledger.set_aside is not None:
        await _say(session, ledger)


async def _say(session: AsyncSession, ledger: Ledger) -> None:
    ledger.touch()
    counts = ledger.counts
    await outbox.publish(
        session,
        PlacesChanged(
            version=ledger.version,
            service_id=ledger.service_id,
            set_aside=counts.set_aside,
            held=counts.held,
            offered=counts.offered,
            used=counts.used,
            queued=counts.queued,
            free=counts.free,
        ),
    )
