"""Whether what a referral rests on holds, for the legs it has travelled and for those still ahead.

Asked when it is read, and when a permission ends.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.referrals import queries
from services.referral.referrals.domain import OPEN
from services.referral.referrals.journey import Journey
from services.referral.referrals.models import Referral, Task
from services.referral.routing import queries as routing
from services.referral.routing.queries import Ground, LegTold
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
    told = LegTold(
        sender_id=task.from_organization_id,
        recipient_id=task.organization_id,
        mechanism_id=task.mechanism_id,
        declared_safe=referral.declared_safe,
        requested_fields=_requested(referral),
        on_the_way=frozenset(each.organization_id for each in before),
        owners_agreement_id=journey.owners_agreement_id if before else None,
    )
    return routing.facts(await _ground(session, journey), journey.service, told)


async def _ground(session: AsyncSession, journey: Journey) -> Ground:
    """That on which the leg just travelled was judged, or all legs of the referral as of now."""
    if journey.brief is not None:
        return journey.brief.ground
    referral, tasks = journey.referral, journey.tasks
    brief = await queries.brief(
        session,
        journey.case,
        journey.service.service_id,
        referral_id=referral.referral_id,
        decision_id=referral.decision_id,
        organization_ids={task.organization_id for task in tasks}
        | {task.from_organization_id for task in tasks}
        | {UUID(leg["organization_id"]) for leg in referral.ahead},
        mechanism_ids={task.mechanism_id for task in tasks}
        | {UUID(leg["mechanism_id"]) for leg in referral.ahead if leg["mechanism_id"] is not None},
        sent_under_id=journey.owners_agreement_id,
    )
    return brief.ground


def _requested(referral: Referral) -> frozenset[str] | None:
    return None if referral.requested_fields is None else frozenset(referral.requested_fields)


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
    if referral.state not in OPEN or not referral.ahead:
        return []
    ground = await _ground(session, journey)
    task = journey.current()
    sender_id, on_the_way = task.organization_id, journey.on_the_way()
    found: list[dict[str, object]] = []
    for number, leg in enumerate(referral.ahead, task.leg + 1):
        told = LegTold(
            sender_id=sender_id,
            recipient_id=UUID(leg["organization_id"]),
            mechanism_id=None if leg["mechanism_id"] is None else UUID(leg["mechanism_id"]),
            declared_safe=referral.declared_safe,
            requested_fields=_requested(referral),
            on_the_way=on_the_way,
            owners_agreement_id=journey.owners_agreement_id,
        )
        facts = routing.facts(ground, journey.service, told)
        found += [{"code": problem.slug(), "leg": number} for problem in obstacles(facts) if problem in LOOKED_AT_AHEAD]
        sender_id, on_the_way = told.recipient_id, on_the_way | {told.recipient_id}
    return found
