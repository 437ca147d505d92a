"""The indicators over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from services.monitoring.indicators import actions
from services.monitoring.indicators.definitions import INDICATORS
from services.monitoring.indicators.schemas import Asked, IndicatorOut, IndicatorResult
from shared.actor import Actor
from shared.errors import NotFound, Unprocessable
from shared.http import Page, Router, Transaction, needs, refusals
from shared.runtime import Runtime

router = Router(tags=["indicators"])
IndicatorReader = Annotated[Actor, needs("indicators:read")]


def _small_cell(request: Request) -> int:
    runtime: Runtime = request.app.state.runtime
    return runtime.settings.small_cell


SmallCell = Annotated[int, Depends(_small_cell)]
"""Denominators below this are not shown in a result that is broken down (a setting)."""


@router.get("/indicators", response_model=Page[IndicatorOut])
async def list_indicators(actor: IndicatorReader) -> Page[Any]:
    """All indicators with their definitions: few enough for one page."""
    return Page(items=INDICATORS)


@router.get("/indicators/{code}", response_model=IndicatorResult, responses=refusals(NotFound, Unprocessable))
async def measure_indicator(
    code: str, session: Transaction, actor: IndicatorReader, asked: Annotated[Asked, Query()], threshold: SmallCell
) -> IndicatorResult:
    """The indicator, computed from events: with every denominator, what is not known, and small cells suppressed.

    Over the referrals in which one's own organisation took part, as they stood when its part ended, if it has; with the
    scope `evaluation:read` over all.
    """
    return await actions.measure(session, actor, code, asked, threshold)
