"""How a computed indicator is shown: its definition beside the numbers, and no number with too few people behind it."""

from typing import Any

from services.monitoring.indicators.definitions import Indicator
from services.monitoring.indicators.domain import Cell, Result
from services.monitoring.indicators.schemas import CellOut, CountOut


def _cell(indicator: Indicator, cell: Cell) -> CellOut:
    shown = {count.code: CountOut.model_validate(count) for count in cell.counts}
    return CellOut(
        by=dict(cell.by),
        suppressed=not shown,
        measures=[
            shown.get(measure.code) or CountOut(code=measure.code, suppressed=True) for measure in indicator.measures
        ],
    )


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
        "total": [CountOut.model_validate(count) for count in result.total],
        "cells": [_cell(indicator, cell) for cell in result.cells],
    }
