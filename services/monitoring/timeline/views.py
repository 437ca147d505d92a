"""How a referral is shown: rows become answers here and nowhere else, with the names that were heard.

Everybody who may see a referral sees the same of it: codes, ids and times that every party of it knows or is told.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.monitoring.known import queries as known
from services.monitoring.timeline.models import Entry, Referral
from services.monitoring.timeline.schemas import EntryOut, OrganizationRef, ReferralOut, ServiceRef, TimelineOut


async def show(session: AsyncSession, referrals: Sequence[Referral]) -> list[ReferralOut]:
    """The referrals, summed up."""
    names = await _names(session, referrals, ())
    return [ReferralOut(**names.referral(referral)) for referral in referrals]


async def show_timeline(session: AsyncSession, referral: Referral, entries: Sequence[Entry]) -> TimelineOut:
    """One referral with its history."""
    names = await _names(session, [referral], entries)
    return TimelineOut(**names.referral(referral), timeline=[names.entry(entry) for entry in entries])


async def _names(session: AsyncSession, referrals: Sequence[Referral], entries: Iterable[Entry]) -> "_Names":
    organizations = {organization_id for row in referrals for organization_id in (row.owner_id, row.organization_id)}
    for entry in entries:
        organizations |= {entry.organization_id} | ({entry.acted_by} if entry.acted_by else set())
    services = await known.find_services(session, {row.service_id for row in referrals})
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

    def referral(self, row: Referral) -> dict[str, Any]:
        return {
            "referral_id": row.referral_id,
            "status": row.status,
            "priority": row.priority,
            "need": row.need,
            "leg": row.leg,
            "place": row.place,
            "owner": self.organization(row.owner_id),
            "organization": self.organization(row.organization_id),
            "service": self.service(row.service_id),
            "sent_at": row.first_at,
            "changed_at": row.changed_at,
            "version": row.version,
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
