"""One run: a deployment under load, faults in the order of a seed, and the verdict."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from relink import demo_data
from relink.demo_data import Setting
from relink.deployment import running_deployment
from relink.embedded_kafka import EmbeddedKafka
from tests.faults.lives import Life, partners_of
from tests.faults.moments import FAULTS, Fault, Stage
from tests.faults.truth import Verdict, judge

BESIDE = 2
"""Lives that go on beside the one that meets the fault."""


@dataclass
class Report:
    """Fault → seconds from its beginning until the step that met it was visible in monitoring; and the verdict."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    verdict: Verdict | None = None


def sequence(count: int, seed: int) -> list[Fault]:
    """`count` faults: each kind in turn, in an order that the seed decides, so that none is missed."""
    dice = Random(seed)
    chosen: list[Fault] = []
    while len(chosen) < count:
        chosen += dice.sample(FAULTS, len(FAULTS))
    return chosen[:count]


async def play(count: int, seed: int, tell: Callable[[str], None]) -> Report:
    """The faults one after another, each in the middle of other lives, and what holds in the end."""
    report, dice = Report(), Random(seed)
    async with _stage() as (stage, setting):
        lives: list[Life] = []
        for number, fault in enumerate(sequence(count, seed), start=1):
            took = await _one(stage, setting, fault, lives, dice)
            report.seconds.setdefault(fault.__name__, []).append(took)
            tell(f"{number}/{count} {fault.__name__}: {took:.1f} s")
        report.verdict = await judge(stage.deployment, lives)
    return report


@asynccontextmanager
async def _stage() -> AsyncIterator[tuple[Stage, Setting]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relink-faults-")))
        kafka = stack.enter_context(EmbeddedKafka(folder / "kafka", nodes=3))
        bus = {"bus": "kafka", "kafka": kafka.bootstrap, "kafka_replication": 3, "kafka_min_insync": 2}
        deployment = await stack.enter_async_context(running_deployment(folder / "data", bus))
        yield Stage(deployment, kafka), await demo_data.enter_setting(deployment)


async def _one(stage: Stage, setting: Setting, fault: Fault, lives: list[Life], dice: Random) -> float:
    """One life meets the fault, others go on beside it; all have ended, and how long the first was held up."""
    async with AsyncExitStack() as stack:
        new: list[Life] = []
        for _ in range(1 + BESIDE):
            partners = await stack.enter_async_context(partners_of(stage.deployment))
            new.append(Life(partners, setting, len(lives) + len(new), dice))
        met, *others = new
        lives += new
        await met.begin()
        beside = [asyncio.create_task(other.live()) for other in others]
        began = time.monotonic()
        await fault(stage, met)
        await met.is_seen()
        took = time.monotonic() - began
        await asyncio.gather(met.go_on(), *beside)
    return took
