"""Whether what a referral rests on still holds: asked when it is read, and when a permission ends."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.referrals.journey import Journey
from services.referral.referrals.models import Task
from services.referral.routing import queries as routing
from services.referral.routing.queries import LegTold
from services.referral.routing.refusals import SHARING, Facts, disclosed_fields, obstacles


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
