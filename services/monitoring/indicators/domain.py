"""How an indicator is computed from journeys: plain rows in, counts out, nothing read and nothing stored.

Every measure sorts each journey (or each event of it that matters) into one *standing*. Only what is known to be so
counts as yes, only what is known not to be so counts as no; a journey that has not ended, or a question nobody has
answered, is *missing* and stands outside the denominator, shown beside it. So that leaving it out cannot hide anything,
each share also says the least and the most it could be, whatever the missing ones turn out to be.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from statistics import median

from services.monitoring.indicators.suppression import to_suppress

ENTERED_IN_ERROR = "entered_in_error"
ENDED = frozenset({"completed", "failed", "rejected", "cancelled", "expired"})
"""Every final status but `entered_in_error`: that referral never should have been and is in no measure."""

DIMENSIONS = ("sex", "age_band", "area", "return_type", "member_state", "priority", "need")
"""What a result can be broken down by; each is a field of `Journey`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One referral with what was heard of it up to the instant that was asked for."""

    sent_at: datetime
    status: str
    acknowledged_at: datetime | None = None
    """The first event by which a receiver showed that it has the referral."""
    accepted_at: datetime | None = None
    """The first acceptance."""
    end_reason: str | None = None
    receipt: str | None = None
    """What the returnee said last: confirmed, disputed or not_reached; None: nobody recorded it."""
    declines: Sequence[str | None] = ()
    """The reason of each receiver that declined it, in order; None where no reason was heard."""
    sex: str = "unknown"
    age_band: str = "unknown"
    area: str = "unknown"
    return_type: str = "unknown"
    member_state: str = "unknown"
    priority: str = "unknown"
    need: str = "unknown"


class Place(Enum):
    """Where a standing puts a journey, seen from the denominator."""

    YES = "in the numerator and the denominator"
    NO = "in the denominator only"
    MISSING = "belongs to the denominator, but what happened is not known or not over"
    EXCLUDED = "by definition not in the denominator"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one journey stands in one measure; `why` names the kind of what is missing or excluded."""

    place: Place
    why: str = ""


YES, NO = Standing(Place.YES), Standing(Place.NO)


def missing(why: str) -> Standing:
    return Standing(Place.MISSING, why)


def excluded(why: str) -> Standing:
    return Standing(Place.EXCLUDED, why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A measure computed over some journeys.

    `value` is None where the denominator is zero: nothing is known, which is not a rate of zero. `at_least` and
    `at_most` bound a share whatever the missing ones turn out to be; a median has neither, and no numerator.
    """

    code: str
    numerator: int | None
    denominator: int
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)


def _by_why(tally: Counter[Standing], place: Place) -> dict[str, int]:
    return {standing.why: n for standing, n in sorted(tally.items(), key=lambda item: item[0].why)
            if standing.place is place}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """A share between 0 and 1: what stands at yes, of what stands at yes or no."""

    code: str
    name: str
    standings: Callable[[Journey], Iterable[Standing]]
    unit: str = "share"
    additive: bool = True
    """Counts of cells add up to the total, so a single hidden cell could be found by subtraction."""

    def count(self, journeys: Iterable[Journey]) -> Count:
        tally = Counter(standing for journey in journeys for standing in self.standings(journey))
        yes, no = tally[YES], tally[NO]
        unknown = _by_why(tally, Place.MISSING)
        whole = yes + no + sum(unknown.values())
        return Count(
            code=self.code,
            numerator=yes,
            denominator=yes + no,
            value=yes / (yes + no) if yes + no else None,
            at_least=yes / whole if whole else None,
            at_most=(whole - no) / whole if whole else None,
            missing=unknown,
            excluded=_by_why(tally, Place.EXCLUDED),
        )


@dataclass(frozen=True, slots=True)
class MedianHours:
    """The median of a time in hours, over the journeys in which it has passed; the denominator is their number."""

    code: str
    name: str
    hours: Callable[[Journey], float | None]
    without: str
    """What a journey without that time is counted as missing for."""
    unit: str = "hours"
    additive: bool = False

    def count(self, journeys: Iterable[Journey]) -> Count:
        times = [self.hours(journey) for journey in journeys]
        known = [time for time in times if time is not None]
        return Count(
            code=self.code,
            numerator=None,
            denominator=len(known),
            value=median(known) if known else None,
            missing={self.without: len(times) - len(known)} if len(known) < len(times) else {},
        )


Measure = Share | MedianHours


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of attributes with its counts; a measure that is suppressed in it has no count here."""

    by: Mapping[str, str]
    counts: Sequence[Count]
    suppressed: frozenset[str]
    """Codes of the measures that are not shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """An indicator over a set of journeys: its total and its cells, each where they may be shown."""

    referrals: int
    """Referrals looked at, without those entered in error."""
    entered_in_error: int
    total: Sequence[Count]
    """A measure whose total is suppressed has no count here."""
    cells: Sequence[Cell]
    withheld: bool
    """True where there are so few referrals that even the names of the cells would tell who they are."""


def compute(
    measures: Sequence[Measure],
    journeys: Sequence[Journey],
    by: Sequence[str],
    threshold: int,
    *,
    own: bool = True,
) -> Result:
    """The measures over all journeys, and over each combination of the attributes in `by` that occurs.

    Referrals entered in error are in no measure and are counted beside them. A cell's measure with a denominator below
    `threshold` is suppressed, and so are as many others as are needed that no total or margin gives it away. Where the
    journeys are not `own`, known one by one to whoever asks, a total with so few behind it is suppressed too.
    """
    counted = [journey for journey in journeys if journey.status != ENTERED_IN_ERROR]
    groups: dict[tuple[str, ...], list[Journey]] = {}
    if by and len(counted) >= threshold:
        for journey in counted:
            groups.setdefault(tuple(getattr(journey, dimension) for dimension in by), []).append(journey)
    counts = {key: [measure.count(group) for measure in measures] for key, group in sorted(groups.items())}
    hidden = {
        measure.code: to_suppress(
            {key: row[at].denominator for key, row in counts.items()}, threshold, complement=measure.additive
        )
        for at, measure in enumerate(measures)
    }
    few = 0 < len(counted) < threshold
    total = [measure.count(counted) for measure in measures]
    return Result(
        referrals=len(counted),
        entered_in_error=len(journeys) - len(counted),
        total=[count for count in total if own or not (few or 0 < count.denominator < threshold)],
        cells=[
            Cell(
                by=dict(zip(by, key, strict=True)),
                counts=[count for count in row if key not in hidden[count.code]],
                suppressed=frozenset(code for code, keys in hidden.items() if key in keys),
            )
            for key, row in counts.items()
        ],
        withheld=bool(by) and few,
    )
