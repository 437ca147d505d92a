"""How a computed indicator is shown: its definition beside the numbers, and no number with too few people behind it."""

from collections.abc import Iterable
from typing import Any

from services.monitoring.indicators.definitions import Indicator
from services.monitoring.indicators.domain import Cell, Count, Result
from services.monitoring.indicators.schemas import CellOut, CountOut


def _measures(indicator: Indicator, counts: Iterable[Count]) -> list[CountOut]:
    """All measures of the indicator; one that has no count is suppressed."""
    shown = {count.code: CountOut.model_validate(count) for count in counts}
    return [shown.get(measure.code) or CountOut(code=measure.code, suppressed=True) for measure in indicator.measures]


def _cell(indicator: Indicator, cell: Cell) -> CellOut:
    return CellOut(by=dict(cell.by), suppressed=not cell.counts, measures=_measures(indicator, cell.counts))


def show(indicator: Indicator, result: Result) -> dict[str, Any]:
    """The part of the answer that is the same for everybody who asks the same."""
    return {
        "code": indicator.code,
        "version": indicator.version,
        "name": indicator.name,
        "definition": indicator.definition,
        "source": indicator.source,
        "referrals": result.referrals,
        "entered_in_error": result.entered_in_error,
        "total": _measures(indicator, result.total),
        "cells": [_cell(indicator, cell) for cell in result.cells],
    }
