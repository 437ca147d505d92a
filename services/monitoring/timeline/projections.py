"""Every event of a referral, a batch in one round trip to the database: entries, who took part, and the summaries.

Nothing in it depends on the order in which events come: entries and participants are only added, and a summary takes
over what a newer version says.
"""

from collections.abc import Sequence

from sqlalchemy import case, func, select, union
from sqlalchemy.dialects.postgresql import Insert, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.tables import table_of
from services.monitoring.timeline.models import Entry, Participant, Referral
from shared.bus.listeners import Projections
from shared.events.referral import _Referral as ReferralEvent
from shared.newest import as_json, rows_with

projections = Projections()

_ENTRIES, _PARTICIPANTS, _REFERRALS = table_of(Entry), table_of(Participant), table_of(Referral)
_NOT_FROM_THE_NEWEST = ("referral_id", "first_at", "changed_at")
_SUMMARY = [column.name for column in _REFERRALS.columns if column.name not in _NOT_FROM_THE_NEWEST]


def _remember() -> Insert:
    of_summary = {name: _REFERRALS.c[name].type for name in _SUMMARY}
    of_entry = {column.name: column.type for column in _ENTRIES.columns}
    said = select(rows_with(of_summary | of_entry, "row")).cte("said")

    entries = insert(_ENTRIES).from_select(list(of_entry), select(*(said.c[name] for name in of_entry)))
    took_part = union(
        *(
            select(said.c.referral_id, organization).where(organization.is_not(None))
            for organization in (said.c.owner_id, said.c.organization_id, said.c.from_organization_id)
        )
    )
    parties = insert(_PARTICIPANTS).from_select(["referral_id", "organization_id"], took_part)

    newest = (
        select(
            said.c.referral_id,
            *(said.c[name] for name in _SUMMARY),
            func.min(said.c.at).over(partition_by=said.c.referral_id),
            func.max(said.c.at).over(partition_by=said.c.referral_id),
        )
        .order_by(said.c.referral_id, said.c.version.desc(), said.c.at)
        .ext(distinct_on(said.c.referral_id))
    )
    summaries = insert(_REFERRALS).from_select(["referral_id", *_SUMMARY, "first_at", "changed_at"], newest)
    new, held = summaries.excluded, _REFERRALS.c
    return summaries.on_conflict_do_update(
        index_elements=[held.referral_id],
        set_={name: case((new.version > held.version, new[name]), else_=held[name]) for name in _SUMMARY}
        | {
            "first_at": func.least(held.first_at, new.first_at),
            "changed_at": func.greatest(held.changed_at, new.changed_at),
        },
    ).add_cte(entries.on_conflict_do_nothing().cte("entries"), parties.on_conflict_do_nothing().cte("parties"))


REMEMBER = _remember()
"""Built once: this is the way of every event of the busiest topic."""


@projections.on_batch(ReferralEvent)
async def remember(session: AsyncSession, events: Sequence[ReferralEvent]) -> None:
    """Add the events to the timelines of their referrals."""
    rows = []
    for event in events:
        said = vars(event)
        how = said.get("how") or said.get("because")
        rows.append({**said, "at": event.occurred_at, "type": type(event).__name__, "how": how})
    await session.execute(REMEMBER, as_json(rows))
