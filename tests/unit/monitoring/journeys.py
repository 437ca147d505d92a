"""Journeys for the tests of indicators: made by hand where a rule is tested, by hypothesis where a property is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.monitoring.indicators.definitions import REJECTION_REASONS
from services.monitoring.indicators.domain import Journey

SENT_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def journey(**known: Any) -> Journey:
    """A referral that was sent on a Monday morning and nothing more, unless said."""
    fields: dict[str, Any] = {"sent_at": SENT_AT, "status": "submitted"} | known
    return Journey(**fields)


def after(hours: float) -> datetime:
    return SENT_AT + timedelta(hours=hours)


_moments = st.none() | st.floats(0, 1000).map(after)
_statuses = st.sampled_from(
    ["submitted", "received", "awaiting_information", "waitlisted", "accepted", "in_progress", "on_hold",
     "completed", "failed", "rejected", "cancelled", "expired", "entered_in_error"]
)  # fmt: skip
anything = st.lists(
    st.builds(
        Journey,
        sent_at=st.just(SENT_AT),
        status=_statuses,
        acknowledged_at=_moments,
        accepted_at=_moments,
        end_reason=st.sampled_from([None, "no_show", "dropped_out", "no_capacity", "other"]),
        receipt=st.sampled_from([None, "confirmed", "disputed", "not_reached"]),
        declines=st.lists(st.sampled_from([None, "new_code", *REJECTION_REASONS]), max_size=3),
        sex=st.sampled_from(["female", "male", "unknown"]),
        area=st.sampled_from(["NG012", "NG025", "unknown"]),
        priority=st.sampled_from(["normal", "urgent", "emergency"]),
    ),
    max_size=60,
)
"""Any journeys at all, also those that no referral could have."""
