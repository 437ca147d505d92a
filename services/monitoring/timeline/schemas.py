"""What the timeline shows: ids, names of organisations and services, codes and times; no identity and no free text."""

from datetime import datetime
from uuid import UUID

from shared.http.schema import Out


class OrganizationRef(Out):
    organization_id: UUID
    name: str | None = None
    """None until the registry has told of it."""


class ServiceRef(Out):
    service_id: UUID
    name: str | None = None
    type: str | None = None
    dimension: str | None = None


class EntryOut(Out):
    """One thing that happened, as monitoring heard it."""

    type: str
    """The event, for example `ReferralAccepted`."""
    at: datetime
    acted_by: OrganizationRef | None
    """None: the system."""
    organization: OrganizationRef
    """Whose task it was afterwards."""
    status: str
    leg: int
    place: str
    reason: str | None
    outcome: str | None
    deadline: str | None
    """Which deadline was missed."""
    due_at: datetime | None
    how: str | None
    """Passed on: planned or redirected. Returned: rejected or expired."""
    version: int


class ReferralOut(Out):
    """A referral as monitoring has heard of it last."""

    referral_id: UUID
    status: str
    priority: str
    need: str
    leg: int
    place: str
    owner: OrganizationRef
    organization: OrganizationRef
    """Whose task it is."""
    service: ServiceRef
    sent_at: datetime
    changed_at: datetime
    version: int


class TimelineOut(ReferralOut):
    """A referral with everything that happened to it, in order."""

    timeline: list[EntryOut]
