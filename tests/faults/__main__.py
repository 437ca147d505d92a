"""`make faults N=200 SEED=1`: as many faults as one likes, and a table of how it went."""

import asyncio
import statistics
import sys

import uvloop

from shared import telemetry
from tests.faults.play import Report, play


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a command line tool


def table(report: Report) -> str:
    """Each kind of fault with how often and how long, and the verdict over all."""
    lines = ["", f"{'fault':<40}{'times':>6}{'median':>9}{'longest':>9}"]
    for name, seconds in sorted(report.seconds.items()):
        median = statistics.median(seconds)
        lines.append(f"{name.replace('_', ' '):<40}{len(seconds):>6}{median:>7.1f} s{max(seconds):>7.1f} s")
    verdict = report.verdict
    if verdict is not None:
        lines += [
            "",
            f"events {verdict.events} · sent again {verdict.repeats} · lost {verdict.lost} · doubled {verdict.doubled}"
            f" · out of order {verdict.out_of_order} · still waiting {verdict.waiting}",
        ]
    return "\n".join(lines)


def main(count: int, seed: int) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(play(count, seed, _tell))
    _tell(table(report))
    return 0 if report.verdict is not None and report.verdict.good else 1


if __name__ == "__main__":
    telemetry.log_as_json(40)
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
