"""The indicators, as data. No source gives these definitions: each is the project's own and says so.

A definition that changes gets a new version: results of different versions are not compared.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.monitoring.indicators.domain import (
    ENDED,
    NO,
    YES,
    Journey,
    Measure,
    MedianHours,
    Share,
    Standing,
    excluded,
    missing,
)

PROJECT_DEFINITION = "project definition"

REJECTION_REASONS = (
    "not_eligible",
    "no_capacity",
    "no_funds",
    "out_of_area",
    "service_closed",
    "duplicate",
    "insufficient_information",
    "documents_missing",
    "consent_missing",
    "protection_concern",
    "other",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator: what it counts, of what, and what is done where something is not known."""

    code: str
    version: int
    name: str
    definition: str
    numerator: str
    denominator: str
    missing_data: str
    measures: Sequence[Measure]
    default_by: tuple[str, ...] = ()
    """What it is broken down by when nothing else is asked for."""
    source: str = PROJECT_DEFINITION


def _acknowledged(journey: Journey) -> Iterable[Standing]:
    if journey.acknowledged_at is not None:
        yield YES
    elif journey.status == "cancelled":
        yield excluded("withdrawn_before_acknowledgement")
    else:
        yield NO if journey.status in ENDED else missing("waiting_for_acknowledgement")


def _accepted(journey: Journey) -> Iterable[Standing]:
    if journey.accepted_at is not None:
        yield YES
    elif journey.status == "cancelled":
        yield excluded("withdrawn_before_decision")
    else:
        yield NO if journey.status in ENDED else missing("waiting_for_decision")


def _receipt_answered(journey: Journey) -> Standing:
    match journey.receipt:
        case "confirmed":
            return YES
        case "disputed":
            return NO
        case "not_reached":
            return missing("returnee_not_reached")
        case _:
            return missing("returnee_not_asked")


def _received_of_sent(journey: Journey) -> Iterable[Standing]:
    if journey.status == "completed":
        yield _receipt_answered(journey)
    else:
        yield NO if journey.status in ENDED else missing("not_ended")


def _received_of_delivered(journey: Journey) -> Iterable[Standing]:
    if journey.status == "completed":
        yield _receipt_answered(journey)
    else:
        yield excluded("not_delivered") if journey.status in ENDED else missing("not_ended")


def _ended_as(is_so: Callable[[Journey], bool]) -> Callable[[Journey], Iterable[Standing]]:
    """Of the referrals that were accepted and have ended: those that ended so."""

    def standings(journey: Journey) -> Iterable[Standing]:
        if journey.accepted_at is None:
            yield excluded("never_accepted") if journey.status in ENDED else missing("not_ended")
        elif journey.status not in ENDED:
            yield missing("not_ended")
        elif journey.status == "failed" and journey.end_reason is None:
            yield missing("reason_not_stated")
        else:
            yield YES if is_so(journey) else NO

    return standings


def _failed_because(reason: str) -> Callable[[Journey], bool]:
    return lambda journey: journey.status == "failed" and journey.end_reason == reason


def _ended_otherwise(journey: Journey) -> bool:
    return journey.status != "completed" and not (
        journey.status == "failed" and journey.end_reason in ("dropped_out", "no_show")
    )


def _declined_because(reason: str) -> Callable[[Journey], Iterable[Standing]]:
    """Of all declines: those for this reason. One referral has as many as there were receivers that declined it."""

    def standings(journey: Journey) -> Iterable[Standing]:
        for stated in journey.declines:
            if stated is None:
                yield missing("reason_not_stated")
            elif stated not in REJECTION_REASONS:
                yield missing("reason_not_listed")
            else:
                yield YES if stated == reason else NO

    return standings


def _hours(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else (until - since).total_seconds() / 3600


INDICATORS = (
    Indicator(
        code="1-acknowledgement-and-acceptance",
        version=1,
        name="Acknowledgement and acceptance of referrals, and the time they take",
        definition=(
            "How many of the referrals sent were acknowledged by a receiver and accepted by a provider, and the "
            "median time from sending to each. A referral counts as acknowledged at the first act of a receiver: "
            "acknowledgement, question, waiting list, passing on, acceptance or rejection. Times run by the clock and "
            "do not stand still while a question is open."
        ),
        numerator="Referrals acknowledged at least once; referrals accepted at least once.",
        denominator=(
            "Referrals sent in the period that were acknowledged, or ended without it; that were accepted, or ended "
            "without it."
        ),
        missing_data=(
            "Referrals still waiting are missing and outside the denominator. Those withdrawn before are excluded. "
            "Medians are over the referrals in which the time has passed."
        ),
        measures=(
            Share("acknowledgement_rate", "Acknowledged by a receiver", _acknowledged),
            MedianHours(
                "median_hours_to_acknowledgement",
                "Median hours from sending to acknowledgement",
                lambda journey: _hours(journey.sent_at, journey.acknowledged_at),
                without="not_acknowledged",
            ),
            Share("acceptance_rate", "Accepted by a provider", _accepted),
            MedianHours(
                "median_hours_to_acceptance",
                "Median hours from sending to acceptance",
                lambda journey: _hours(journey.sent_at, journey.accepted_at),
                without="not_accepted",
            ),
        ),
        default_by=("priority",),
    ),
    Indicator(
        code="2-confirmed-receipt",
        version=1,
        name="Referrals with confirmed receipt of the service",
        definition=(
            "How many of the referrals sent ended with a service of which the returnee confirmed that she got it. "
            "Delivery is not only the provider's word: a completed referral counts only once she has been asked."
        ),
        numerator="Completed referrals whose receipt the returnee confirmed.",
        denominator=(
            "Of those that ended: referrals sent in the period that ended without delivery, or were completed and the "
            "returnee confirmed or disputed receipt. Of those delivered: the completed ones with an answer alone."
        ),
        missing_data=(
            "Referrals that have not ended, and completed ones whose returnee was not asked or not reached, are "
            "missing and outside the denominator: no answer is not a no."
        ),
        measures=(
            Share("confirmed_of_ended", "Receipt confirmed, of the referrals that ended", _received_of_sent),
            Share("confirmed_of_delivered", "Receipt confirmed, of the services delivered", _received_of_delivered),
        ),
    ),
    Indicator(
        code="3-completion-and-drop-out",
        version=1,
        name="Completion, drop-out and no-show",
        definition=(
            "How the referrals that a provider accepted came to an end: completed, dropped out (failed for the reason "
            "dropped_out), no-show (failed for the reason no_show), or otherwise."
        ),
        numerator="Accepted referrals that ended so.",
        denominator="Referrals sent in the period that were accepted at least once and have ended.",
        missing_data=(
            "Referrals that have not ended, and failed ones without a stated reason, are missing and outside the "
            "denominator. Those that ended without ever being accepted are excluded."
        ),
        measures=(
            Share("completion_rate", "Completed", _ended_as(lambda journey: journey.status == "completed")),
            Share("drop_out_rate", "Dropped out", _ended_as(_failed_because("dropped_out"))),
            Share("no_show_rate", "Did not come", _ended_as(_failed_because("no_show"))),
            Share("ended_otherwise_rate", "Ended otherwise", _ended_as(_ended_otherwise)),
        ),
    ),
    Indicator(
        code="4-decline-reasons",
        version=1,
        name="Reasons for which receivers decline",
        definition=(
            "The reasons given by receivers that declined, as shares of all declines. A decline is a rejection or a "
            "return to whoever passed the referral on because the receiver rejected it; one referral may be declined "
            "by several receivers. An offered place that was declined, or an answer that never came, is no decline."
        ),
        numerator="Declines for this reason.",
        denominator="Declines, with a listed reason, of referrals sent in the period.",
        missing_data=(
            "Declines without a reason, or with one that is not listed, are missing and outside the denominator."
        ),
        measures=tuple(
            Share(reason, f"Declined: {reason.replace('_', ' ')}", _declined_because(reason))
            for reason in REJECTION_REASONS
        ),
    ),
)

BY_CODE = {indicator.code: indicator for indicator in INDICATORS}
