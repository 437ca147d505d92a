"""How a referral is shown: rows become answers here and nowhere else, with the names that were heard.

Everybody on the way of a referral sees the same of it: codes, ids and times that every party of it knows or is told. An
organisation whose part has ended sees the same up to then, and the referral as it stood then.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.known import queries as known
from services.monitoring.timeline.models import Entry
from services.monitoring.timeline.queries import Seen
from services.monitoring.timeline.schemas import EntryOut, OrganizationRef, ReferralOut, ServiceRef, TimelineOut


async def show(session: AsyncSession, seen: Sequence[Seen]) -> list[ReferralOut]:
    """The referrals, summed up."""
    summaries = [_summary(each) for each in seen]
    names = await _names(session, summaries, ())
    return [ReferralOut(**names.referral(summary)) for summary in summaries]


async def show_timeline(session: AsyncSession, seen: Seen, entries: Sequence[Entry]) -> TimelineOut:
    """One referral with its history."""
    summary = _summary(seen)
    names = await _names(session, [summary], entries)
    return TimelineOut(**names.referral(summary), timeline=[names.entry(entry) for entry in entries])


def _summary(seen: Seen) -> dict[str, Any]:
    """The referral as it stands, or as it stood when the asker's part ended; organisations and service by their ids."""
    referral, state = seen.referral, seen.until or seen.referral
    changing = ("status", "priority", "need", "leg", "place", "organization_id", "service_id", "version")
    return {name: getattr(state, name) for name in changing} | {
        "referral_id": referral.referral_id,
        "owner_id": referral.owner_id,
        "sent_at": referral.first_at,
        "changed_at": referral.changed_at if seen.until is None else seen.until.at,
    }


async def _names(session: AsyncSession, summaries: Sequence[dict[str, Any]], entries: Iterable[Entry]) -> "_Names":
    organizations = {row[party] for row in summaries for party in ("owner_id", "organization_id")}
    for entry in entries:
        organizations |= {entry.organization_id} | ({entry.acted_by} if entry.acted_by else set())
    services = await known.find_services(session, {row["service_id"] for row in summaries})
    return _Names(
        await known.find_organization_names(session, organizations),
        {service_id: ServiceRef.model_validate(service) for service_id, service in services.items()},
    )


class _Names:
    def __init__(self, organizations: dict[UUID, str], services: dict[UUID, ServiceRef]) -> None:
        self._organizations = organizations
        self._services = services

    def organization(self, organization_id: UUID) -> OrganizationRef:
        return OrganizationRef(organization_id=organization_id, name=self._organizations.get(organization_id))

    def service(self, service_id: UUID) -> ServiceRef:
        return self._services.get(service_id) or ServiceRef(service_id=service_id)

    def referral(self, summary: dict[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in summary.items() if name in ReferralOut.model_fields}
        return told | {
            "owner": self.organization(summary["owner_id"]),
            "organization": self.organization(summary["organization_id"]),
            "service": self.service(summary["service_id"]),
        }

    def entry(self, row: Entry) -> EntryOut:
        return EntryOut(
            type=row.type,
            at=row.at,
            acted_by=self.organization(row.acted_by) if row.acted_by else None,
            organization=self.organization(row.organization_id),
            status=row.status,
            leg=row.leg,
            place=row.place,
            reason=row.reason,
            outcome=row.outcome,
            deadline=row.deadline,
            due_at=row.due_at,
            how=row.how,
            version=row.version,
        )
