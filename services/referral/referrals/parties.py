"""Who has a part in a case because of its referrals: let in with a task, taken back when nothing of it is left."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import actions as cases
from services.referral.referrals import queries
from services.referral.referrals.journey import Journey


async def settle(session: AsyncSession, journey: Journey) -> None:
    """Every organisation that ever had a task on this referral sees the case, or does not, as its parts say by now.

    The case is locked, and the parts are written (`Step.note`).
    """
    case_id = journey.case.case_id
    acting, reading = await queries.taking_part(session, case_id)
    for organization_id in sorted({task.organization_id for task in journey.tasks}):
        if organization_id in acting | reading:
            await cases.admit(session, case_id, organization_id, acts=organization_id in acting)
        else:
            await cases.leave(session, case_id, organization_id)
