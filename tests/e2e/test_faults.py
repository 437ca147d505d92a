"""Ten faults, each at the worst moment, on eight processes and three brokers."""

from tests.faults.moments import FAULTS
from tests.faults.play import play, sequence


def test_every_kind_of_fault_comes_before_any_comes_twice() -> None:
    for seed in range(20):
        assert set(sequence(len(FAULTS), seed)) == set(FAULTS)
    assert sequence(10, 1) == sequence(10, 1)


async def test_nothing_is_lost_doubled_or_left_waiting_whatever_dies() -> None:
    told: list[str] = []
    report = await play(10, 2026, told.append)
    assert len(told) == 10
    assert report.verdict is not None
    assert report.verdict.good, report.verdict
    assert report.verdict.events > 10
    assert report.verdict.repeats > 0, "nothing was sent again: no fault met the relay between sending and marking"
