"""Measuring: from a question to an answer. Nothing is stored: an indicator is computed when somebody asks."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.indicators import queries, views
from services.monitoring.indicators.definitions import BY_CODE
from services.monitoring.indicators.domain import compute
from services.monitoring.indicators.question import question
from services.monitoring.indicators.schemas import Asked, IndicatorResult, SmallCells
from services.monitoring.timeline.queries import SEES_ALL
from shared import clock
from shared.actor import Actor
from shared.errors import NotFound


async def measure(session: AsyncSession, actor: Actor, code: str, asked: Asked, threshold: int) -> IndicatorResult:
    """The indicator over the referrals that the actor may count, with cells of fewer than `threshold` suppressed.

    Where it is counted over all, totals of fewer are suppressed too: a party knows its own referrals, the evaluator
    none.
    """
    indicator = BY_CODE.get(code)
    if indicator is None:
        raise NotFound
    wanted = question(asked.from_, asked.to, asked.as_of, asked.by, indicator.default_by)
    journeys = await queries.read_journeys(session, actor, wanted)
    over_all = actor.may(SEES_ALL)
    result = compute(indicator.measures, journeys, wanted.by, threshold, own=not over_all)
    return IndicatorResult.model_validate(
        views.show(indicator, result)
        | {
            "over": "all" if over_all else "took_part",
            "from": asked.from_,
            "to": asked.to,
            "as_of": wanted.as_of or clock.now(),
            "by": wanted.by,
            "small_cells": SmallCells(threshold=threshold, withheld=result.withheld),
        }
    )
