"""The rows that indicators are computed from: one query, whatever is asked."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.indicators.domain import Journey
from services.monitoring.indicators.question import Question
from services.monitoring.known import queries as known
from services.monitoring.timeline import queries as timeline
from shared.actor import Actor

UNKNOWN = "unknown"
OF_THE_CASE = ("sex", "age_band", "area", "return_type", "member_state")


async def read_journeys(session: AsyncSession, actor: Actor, asked: Question) -> list[Journey]:
    """The journeys that stand in the actor's indicators, with the attributes their cases had at the time asked for."""
    journey = timeline.journeys(actor, since=asked.since, before=asked.before, as_of=asked.as_of).subquery("journeys")
    case = known.cases_as_of(asked.as_of)
    attributes = [func.coalesce(case.c[name], UNKNOWN).label(name) for name in OF_THE_CASE]
    what_became = [column for column in journey.c if column is not journey.c.case_id]
    query = select(*what_became, *attributes).join_from(
        journey, case, case.c.case_id == journey.c.case_id, isouter=True
    )
    return [Journey(**row) for row in (await session.execute(query)).mappings()]
