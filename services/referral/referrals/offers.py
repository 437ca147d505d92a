"""Offering places that became free: to whoever's turn it is, never to a newcomer.

A place is freed under the lock of somebody else's referral. The one it is offered to needs locks of its own, in the
order case, referral, ledger; so offering is a transaction of its own, that hears of the free place.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.known import queries as known
from services.referral.places import actions as places
from services.referral.places import queries as place_queries
from services.referral.places.domain import PlaceState
from services.referral.places.models import Ledger
from services.referral.referrals import deadlines, queries, schedule
from services.referral.referrals.deadlines import Deadline
from services.referral.referrals.journey import Journey
from services.referral.referrals.steps import Step

OFFERED = "place_offered"
MOST_AT_ONCE = 50
ATTEMPTS = 5


class QueueKeepsMoving(Exception):
    """Others changed the queue each time it was looked at: to be tried again."""


class _Moved(Exception):
    """Between looking and locking somebody else came to be next."""


async def offer_places(session: AsyncSession, service_id: UUID) -> None:
    """Every free place of the service is offered to the next who may have it; a new number of places is said."""
    for _ in range(ATTEMPTS):
        try:
            async with session.begin_nested():
                offered = await _offer(session, service_id)
        except _Moved:  # the savepoint gave the locks back, so the order of locks holds in the next attempt too
            continue
        if offered < MOST_AT_ONCE:
            return
    if offered < MOST_AT_ONCE:
        raise QueueKeepsMoving


async def _offer(session: AsyncSession, service_id: UUID) -> int:
    """Look who is next, lock their cases and referrals, lock the ledger, and offer if they are next still."""
    seen = await place_queries.find_ledger(session, service_id)
    looked_at = [] if seen is None else await _next(session, seen)
    journeys = {
        journey.referral.referral_id: journey
        for journey in await queries.lock(session, [referral_id for _, referral_id in looked_at])
    }
    next_now = await _next(session, await places.lock_row(session, service_id))
    if not {referral_id for _, referral_id in next_now} <= journeys.keys():
        raise _Moved  # before anything is said: what is said does not go away with a savepoint
    await places.lock(session, service_id)
    for _, referral_id in next_now:
        await _offer_to(session, journeys[referral_id])
    return len(next_now)


async def _next(session: AsyncSession, ledger: Ledger) -> list[tuple[UUID, UUID]]:
    """Whose turn it is for the places that are free. A new number of places lets everybody who queues have them."""
    service = await known.get_service(session, ledger.service_id)
    free = None if service is None else replace(ledger.counts, set_aside=service.set_aside).free
    if service is None or free is None or free <= 0:
        return []
    renumbered = service.set_aside != ledger.set_aside
    return await place_queries.next_in_line(
        session, ledger.service_id, min(free, MOST_AT_ONCE), passed_over_too=renumbered
    )


async def _offer_to(session: AsyncSession, journey: Journey) -> None:
    step = Step(session, journey, OFFERED, by=None)
    claims = await place_queries.find_claims(session, [journey.referral.referral_id])
    journey.claim = claims[journey.referral.referral_id]
    await step.move_place(PlaceState.OFFERED)
    await step.note()
    # While the receiver waits for an answer the offer stands; its clock begins when the answer is there.
    until = deadlines.read(journey.referral.due, Deadline.OFFER)
    step.says["offered_until"] = until or await schedule.begin(session, journey, Deadline.OFFER)
    await step.say("PlaceOffered")
