"""Who has a part in a case because of its referrals: let in with a task, taken back when nothing of it is left."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import actions as cases
from services.referral.referrals import queries
from services.referral.referrals.brief import Part
from services.referral.referrals.domain import LASTING, OPEN
from services.referral.referrals.journey import Journey


async def settle(session: AsyncSession, journey: Journey) -> None:
    """Every organisation that ever had a task on this referral sees the case, or does not, as its parts say by now.

    The case is locked.
    """
    referral, case_id = journey.referral, journey.case.case_id
    if journey.brief is None:
        parts = await queries.parts_elsewhere(session, case_id, referral.referral_id)
    else:
        parts = journey.brief.parts_elsewhere
    if referral.state in LASTING:
        own = {task.organization_id for task in journey.tasks if task.takes_part}
        parts = [*parts, *(Part(each, is_open=referral.state in OPEN) for each in own)]
    acting, reading = ({part.organization_id for part in parts if part.is_open is is_open} for is_open in (True, False))
    for organization_id in sorted({task.organization_id for task in journey.tasks}):
        if organization_id in acting | reading:
            await cases.admit(session, case_id, organization_id, acts=organization_id in acting)
        else:
            await cases.leave(session, case_id, organization_id)
