"""`python -m bench`: measure everything, print it, and write it to bench/RESULTS.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import latency, pipeline, rebuild, referrals, start

RESULTS = Path(__file__).with_name("RESULTS.md")
START_LIMIT = 5.0
REBUILT = 1_000_000
HEAD = ("| | measured | limit | measured / limit |", "| --- | --- | --- | --- |")
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


def _by_hand() -> str:
    """What somebody measured otherwise and wrote below it stays."""
    _, heading, rest = RESULTS.read_text(encoding="utf-8").partition(BY_HAND)
    return f"\n{heading}{rest}" if heading else ""


def main() -> None:
    measured_at = datetime.now(UTC)  # noqa: TID251  # the machine's time: a measurement has no business time
    machine = _machine()
    of_pipeline = uvloop.run(pipeline.measure(pipeline.BUSES, pipeline.SECTIONS))
    of_referrals = referrals.rows(uvloop.run(referrals.measure()))
    rebuilt = uvloop.run(rebuild.measure(REBUILT, "kafka"))
    first, later = start.measure()
    lines = [
        "# What was measured",
        "",
        f"{measured_at:%Y-%m-%d %H:%M} UTC · `python -m bench` (`make bench`) · {machine}",
        "",
        f"## The way of events (`python -m bench.pipeline`), medians of {pipeline.RUNS} runs in turn",
        "",
        f"*Commit → visible in monitoring*, {latency.RATE} referrals/s: from the writing of the referral service's "
        "outbox row (its commit is in the figure) to the moment at which another connection has read the referral in "
        "monitoring's database. The referrals are said by `outbox.publish`, not through the HTTP API. *Relay* and "
        "*projection* are of a backlog, the projection is monitoring's, with inbox, versions and order. The floor does "
        "the same without the product's duties (`bench/floor_pipeline.py`). Load, reader, PostgreSQL, broker and the "
        "measured processes share the machine.",
        "",
        *of_pipeline,
        f"## `POST /referral/v1/referrals` (`python -m bench.referrals`), medians of {referrals.RUNS} runs in turn",
        "",
        *HEAD,
        *of_referrals,
        "",
        "## `relink rebuild monitoring timeline` (`python -m bench.rebuild 1000000 --bus kafka`)",
        "",
        *HEAD,
        f"| {rebuilt.read:,} events on Kafka | {rebuilt.read / rebuilt.seconds:,.0f} /s | ≥ {rebuild.LIMIT:,} /s |"
        f" {rebuilt.read / rebuilt.seconds / rebuild.LIMIT:.2f} |",
        "",
        f"## `relink run`, from the command until every service is ready, median of {start.RUNS} later starts",
        "",
        *HEAD,
        _row("first start", first, "s", None),
        _row("second start", later, "s", START_LIMIT),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    RESULTS.write_text(text + _by_hand(), encoding="utf-8")


if __name__ == "__main__":
    main()
