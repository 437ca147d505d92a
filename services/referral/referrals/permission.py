"""Whether what a referral rests on holds, for the legs it has travelled and for those still ahead.

Asked when it is read, and when a permission ends.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.referrals.domain import OPEN
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import Task
from services.referral.routing import queries as routing
from services.referral.routing.queries import LegTold
from services.referral.routing.refusals import (
    SHARING,
    ConsentMissing,
    Facts,
    NoActiveAgreement,
    SafetyCheckMissing,
    TransferBasisMissing,
    disclosed_fields,
    obstacles,
)

LOOKED_AT_AHEAD = frozenset({NoActiveAgreement, ConsentMissing, TransferBasisMissing, SafetyCheckMissing})
"""What may stand in the way of a later leg is told early: the case owner can mend it before the hub passes on."""


async def facts_of(session: AsyncSession, journey: Journey, task: Task) -> Facts:
    """The facts of a leg that was travelled, as they are now."""
    referral = journey.referral
    way = journey.way
    before = way[: way.index(task)] if task in way else []
    requested = referral.requested_fields
    return await routing.facts(
        session,
        journey.case,
        journey.service,
        LegTold(
            sender_id=task.from_organization_id,
            recipient_id=task.organization_id,
            mechanism_id=task.mechanism_id,
            decision_id=referral.decision_id,
            declared_safe=referral.declared_safe,
            requested_fields=None if requested is None else frozenset(requested),
            on_the_way=frozenset(each.organization_id for each in before),
            owners_agreement_id=journey.owners_agreement_id if before else None,
        ),
    )


async def still_shares(session: AsyncSession, journey: Journey) -> bool:
    """Agreement, consent and basis of the current leg hold, and the service is still given."""
    if journey.service.retired:
        return False
    return not set(obstacles(await facts_of(session, journey, journey.current()))) & set(SHARING)


async def visible_fields(session: AsyncSession, journey: Journey, task: Task) -> frozenset[str]:
    """The fields of identity that the organisation of this task may see now."""
    facts = await facts_of(session, journey, task)
    if journey.service.retired or set(obstacles(facts)) & set(SHARING):
        return frozenset()
    return disclosed_fields(facts)


async def warnings_ahead(session: AsyncSession, journey: Journey) -> list[dict[str, object]]:
    """What would stand in the way of the legs that are planned, if they were travelled now."""
    referral = journey.referral
    if referral.state not in OPEN:
        return []
    task = journey.current()
    sender_id, on_the_way = task.organization_id, journey.on_the_way()
    found: list[dict[str, object]] = []
    for number, leg in enumerate(referral.ahead, task.leg + 1):
        told = LegTold(
            sender_id=sender_id,
            recipient_id=UUID(leg["organization_id"]),
            mechanism_id=None if leg["mechanism_id"] is None else UUID(leg["mechanism_id"]),
            decision_id=referral.decision_id,
            declared_safe=referral.declared_safe,
            requested_fields=None if referral.requested_fields is None else frozenset(referral.requested_fields),
            on_the_way=on_the_way,
            owners_agreement_id=journey.owners_agreement_id,
        )
        facts = await routing.facts(session, journey.case, journey.service, told)
        found += [{"code": problem.slug(), "leg": number} for problem in obstacles(facts) if problem in LOOKED_AT_AHEAD]
        sender_id, on_the_way = told.recipient_id, on_the_way | {told.recipient_id}
    return found
