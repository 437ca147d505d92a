"""What eligibility says, written down: one statement an event, in any order, however often."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.known.models import UnmetNeed
from shared.bus.listeners import Projections
from shared.events.eligibility import UnmetNeedRecorded

projections = Projections()


@projections.on(UnmetNeedRecorded)
async def remember_unmet_need(session: AsyncSession, event: UnmetNeedRecorded) -> None:
    values = event.model_dump(include={"case_id", "match_id", "country", "area", "needs", "as_of"})
    statement = insert(UnmetNeed).values(values)
    said = statement.excluded
    newest = {name: said[name] for name in values if name != "case_id"}
    newer = UnmetNeed.match_id < said.match_id
    await session.execute(statement.on_conflict_do_update(index_elements=["case_id"], set_=newest, where=newer))
