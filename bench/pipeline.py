"""`python -m bench.pipeline [latency] [relay] [projection] [--bus kafka|postgresql]`: the way of events, and its floor.

Product and floor take turns in one run on one machine, so what else runs on it is in both.
"""

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from bench import backlog, latency
from bench.latency import Figures
from bench.systems import one_process, stage
from relink.services import SERVICES

RUNS = 3
SECTIONS = ("latency", "relay", "projection")
BUSES = ("kafka", "postgresql")
LIMITS = {"p50": 15.0, "p99": 80.0}
RATES = {"relay": (12_000.0, 0.6), "projection": (15_000.0, 0.4)}
"""Events a second, and of the floor."""
HEAD = ("| | measured | limit | floor | of the floor | limit |", "| --- | --- | --- | --- | --- | --- |")
WORKERS = {
    "two processes: the workers of referral and monitoring": ("referral", "monitoring"),
    "four processes: the workers of all services": tuple(service.name for service in SERVICES),
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    measured: str
    limit: str = ""
    floor: str = ""
    ratio: str = ""
    ratio_limit: str = ""

    def __str__(self) -> str:
        return f"| {' | '.join(vars(self).values())} |"


def _latency_rows(name: str, ours: Figures, floor: Figures | None) -> list[Row]:
    return [
        Row(
            f"{name}: {figure}",
            f"{value:.1f} ms",
            f"< {LIMITS[figure]:g} ms" if figure in LIMITS else "",
            f"{getattr(floor, figure):.1f} ms" if floor else "",
            f"{value / getattr(floor, figure):.2f}" if floor else "",
        )
        for figure, value in vars(ours).items()
    ]


async def latencies(bus: str) -> list[Row]:
    """Commit → visible in monitoring at a steady rate."""
    floors: list[Figures] = []
    ours: dict[str, list[Figures]] = {name: [] for name in WORKERS}
    async with stage(bus) as prepared:
        for _ in range(RUNS):
            async with prepared.running("floor relay", "floor project"), latency.floor(prepared.floor) as way:
                floors.append(await latency.measure(way))
            for name, workers in WORKERS.items():
                async with prepared.running(*workers), latency.product(prepared.databases) as way:
                    ours[name].append(await latency.measure(way))
    floor = latency.median_of(floors)
    return [row for name, runs in ours.items() for row in _latency_rows(name, latency.median_of(runs), floor)]


async def all_in_one() -> list[Row]:
    """The same, on the PostgreSQL bus, where everything is one process as in `relink run`."""
    runs = []
    async with one_process() as databases, latency.product(databases) as way:
        for _ in range(RUNS):
            runs.append(await latency.measure(way))
    return _latency_rows("one process: `relink run`", latency.median_of(runs), None)


async def backlogs(bus: str, sections: Sequence[str]) -> list[Row]:
    """Relay and projection of a backlog."""
    project = "projection" in sections
    runs = []
    async with stage(bus) as prepared:
        for _ in range(RUNS):
            runs.append((await backlog.floor(prepared, project), await backlog.product(prepared, project)))
    rows = []
    for name in (section for section in sections if section in RATES):
        limit, share = RATES[name]
        floor, ours = (statistics.median(getattr(run[which], name) for run in runs) for which in (0, 1))
        rows.append(
            Row(
                f"{name} of {backlog.EVENTS:,} events",
                f"{ours:,.0f}/s",
                f"≥ {limit:,.0f}/s",
                f"{floor:,.0f}/s",
                f"{ours / floor:.2f}",
                f"≥ {share:g}",
            )
        )
    return rows


async def measure(buses: Sequence[str], sections: Sequence[str]) -> list[str]:
    """The tables, one for each bus."""
    lines = []
    for bus in buses:
        rows = []
        if "latency" in sections:
            rows += await latencies(bus)
            rows += await all_in_one() if bus == "postgresql" else []
        if RATES.keys() & sections:
            rows += await backlogs(bus, sections)
        lines += [f"**{NAMES[bus]}**", "", *HEAD, *(str(row) for row in rows), ""]
    return lines


NAMES = {"kafka": "Kafka, one node", "postgresql": "PostgreSQL bus"}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline")
    parser.add_argument("sections", nargs="*", default=SECTIONS, metavar="|".join(SECTIONS))
    parser.add_argument("--bus", choices=BUSES, action="append")
    asked = parser.parse_args()
    print("\n".join(uvloop.run(measure(asked.bus or BUSES, asked.sections))))
