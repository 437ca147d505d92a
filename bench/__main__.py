"""`python -m bench`: measure everything, print it, and write it to bench/RESULTS.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import pipeline, start
from bench.pipeline import Run, median_of
from bench.systems import one_process, separate_processes

RESULTS = Path(__file__).with_name("RESULTS.md")
P50_LIMIT, P99_LIMIT = 25.0, 120.0
START_LIMIT = 5.0
BY_HAND = "## By hand"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"Python {platform.python_version()}"
    others = f"load average before {os.getloadavg()[0]:.1f}"  # what else ran: it is in the figures
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, {python}, PostgreSQL 18, {others}"


def _row(name: str, figure: float, unit: str, limit: float | None) -> str:
    shown = f"{figure:.1f} {unit}"
    bound = f"< {limit:g} {unit} | {figure / limit:.2f}" if limit else "|"
    return f"| {name} | {shown} | {bound} |"


def _pipeline_rows(name: str, run: Run) -> list[str]:
    return [
        _row(f"{name}: p50", run.p50, "ms", P50_LIMIT),
        _row(f"{name}: p95", run.p95, "ms", None),
        _row(f"{name}: p99", run.p99, "ms", P99_LIMIT),
        _row(f"{name}: slowest", run.slowest, "ms", None),
    ]


def _by_hand() -> str:
    """What somebody measured otherwise and wrote below it stays."""
    _, heading, rest = RESULTS.read_text(encoding="utf-8").partition(BY_HAND)
    return f"\n{heading}{rest}" if heading else ""


async def _pipeline() -> list[str]:
    rows = []
    for name, system in (("all in one process", one_process), ("a process for each worker", separate_processes)):
        async with system() as databases:
            rows += _pipeline_rows(name, median_of(await pipeline.measure(databases)))
    return rows


def main() -> None:
    measured_at = datetime.now(UTC)  # noqa: TID251  # the machine's time: a measurement has no business time
    machine = _machine()
    commit_to_visible = uvloop.run(_pipeline())
    first, later = start.measure()
    lines = [
        "# What was measured",
        "",
        f"{measured_at:%Y-%m-%d %H:%M} UTC · `python -m bench` (`make bench`) · {machine}",
        "",
        f"**Commit → visible in monitoring**, PostgreSQL bus, {pipeline.RATE} referrals/s for {pipeline.SECONDS} s, "
        f"median of {pipeline.RUNS} runs after a warm-up; every referral arrived. From the writing of the referral "
        "service's outbox row (its commit is in the figure) to the moment at which another connection has read the "
        "referral in monitoring's database. The referrals are said by `outbox.publish` in transactions on the referral "
        "service's database, not through its HTTP API. The load, the reader, PostgreSQL and the measured processes "
        "share the machine.",
        "",
        "| | measured | limit | measured / limit |",
        "| --- | --- | --- | --- |",
        *commit_to_visible,
        "",
        f"**`relink run`** from the command until every service is ready, median of {start.RUNS} later starts.",
        "",
        "| | measured | limit | measured / limit |",
        "| --- | --- | --- | --- |",
        _row("first start", first, "s", None),
        _row("second start", later, "s", START_LIMIT),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    RESULTS.write_text(text + _by_hand(), encoding="utf-8")


if __name__ == "__main__":
    main()
