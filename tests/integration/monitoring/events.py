"""What other services say, as monitoring hears it: a case, a service, organisations, and the journey of a referral."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from relink.demo_issuer import CLIENTS
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.events import Event
from shared.events import referral as says
from shared.events.registry import OrganizationChanged, ServicePublished
from shared.ids import new_id

SENT_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWNER, OTHER_OWNER = CLIENTS["be-return"].org_id, CLIENTS["de-return"].org_id
HUB, PROVIDER = CLIENTS["ng-hub"].org_id, CLIENTS["ng-provider"].org_id


@dataclass(frozen=True)
class Said:
    """An event with its id on the wire."""

    event: Event
    event_id: UUID = field(default_factory=new_id)

    def message(self) -> Message:
        event = self.event
        return to_message(
            f"relink.{event.speaker()}",
            event_id=self.event_id,
            type_name=event.type_name(),
            subject=event.subject,
            key=event.partition_key,
            version=event.version,
            occurred_at=SENT_AT,
            traceparent=None,
            data=event.model_dump_json(),
        )


def organization(organization_id: UUID, name: str, version: int = 1) -> Said:
    return Said(
        OrganizationChanged(
            version=version, organization_id=organization_id, name=name, kind="public_authority", country="BE"
        )
    )


def service(service_id: UUID, name: str = "Tailoring course", version: int = 1) -> Said:
    return Said(
        ServicePublished(
            version=version,
            service_id=service_id,
            organization_id=PROVIDER,
            name=name,
            type="vocational_training",
            dimension="economic",
            level="individual",
            country="NG",
            areas=["NG012"],
        )
    )


def case(case_id: UUID, version: int = 1, at: datetime = SENT_AT, **attributes: Any) -> Said:
    """A woman of 25 to 34 who returns to Edo by her own will, unless said."""
    sex, age_band = attributes.pop("sex", "female"), attributes.pop("age_band", "25-34")
    state: dict[str, Any] = {
        "owner_id": OWNER,
        "member_state": "BE",
        "country_of_origin": "NG",
        "area": "NG012",
        "return_type": "voluntary",
        "origin": "sender",
        "phase": "pre_departure",
        "arrival_certainty": "unknown",
        "members": [says.CoarseMember(member_id=new_id(), sex=sex, age_band=age_band)],
    } | attributes
    kind = says.CaseRegistered if version == 1 else says.CaseChanged
    return Said(kind(version=version, case_id=case_id, occurred_at=at, **state))


@dataclass
class Journey:
    """One referral, told event by event: each is one version and one hour later than the one before."""

    owner_id: UUID = OWNER
    case_id: UUID = field(default_factory=new_id)
    service_id: UUID = field(default_factory=new_id)
    priority: str = "normal"
    need: str = "vocational_training"
    provider: UUID = PROVIDER
    sent_at: datetime = SENT_AT
    referral_id: UUID = field(default_factory=new_id)
    said: list[Said] = field(default_factory=list)

    def _say(self, kind: type[Event], status: str, by: UUID | None, task_of: UUID, **more: Any) -> "Journey":
        version = len(self.said) + 1
        state = {
            "version": version,
            "referral_id": self.referral_id,
            "case_id": self.case_id,
            "occurred_at": self.sent_at + timedelta(hours=version - 1),
            "status": status,
            "service_id": self.service_id,
            "need": self.need,
            "priority": self.priority,
            "owner_id": self.owner_id,
            "organization_id": task_of,
            "acted_by": by,
            "leg": 2 if task_of == self.provider else 1,
            "place": "held",
        }
        self.said.append(Said(kind.model_validate(state | more)))
        return self

    def sent(self, to: UUID = HUB) -> "Journey":
        return self._say(says.ReferralCreated, "submitted", self.owner_id, to, decision_id=new_id())

    def received(self) -> "Journey":
        return self._say(says.ReferralReceived, "received", HUB, HUB)

    def passed_on(self, how: str = "planned") -> "Journey":
        return self._say(says.ReferralPassedOn, "submitted", HUB, self.provider, from_organization_id=HUB, how=how)

    def redirected(self, to: UUID, service_id: UUID) -> "Journey":
        """From the provider to another one, for another service: all that follows happens there."""
        before, self.provider, self.service_id = self.provider, to, service_id
        return self._say(says.ReferralPassedOn, "submitted", before, to, from_organization_id=before, how="redirected")

    def accepted(self) -> "Journey":
        return self._say(says.ReferralAccepted, "accepted", self.provider, self.provider)

    def delivered(self) -> "Journey":
        return self._say(
            says.ServiceDelivered,
            "completed",
            self.provider,
            self.provider,
            outcome="service_delivered",
            place="released",
        )

    def confirmed(self) -> "Journey":
        return self._say(says.ReceiptConfirmed, "completed", self.owner_id, self.provider, place="released")

    def disputed(self) -> "Journey":
        return self._say(says.ReceiptDisputed, "completed", self.owner_id, self.provider, place="released")

    def acknowledged(self, status: str = "completed") -> "Journey":
        return self._say(says.OutcomeAcknowledged, status, self.owner_id, self.provider, place="released")

    def failed(self, reason: str) -> "Journey":
        return self._say(says.ReferralFailed, "failed", self.provider, self.provider, reason=reason, place="released")

    def returned(self, reason: str | None, because: str = "rejected", to: UUID = HUB) -> "Journey":
        by = self.provider if because == "rejected" else None
        state: dict[str, Any] = {"from_organization_id": self.provider, "because": because, "reason": reason}
        return self._say(says.ReferralReturned, "received", by, to, **state)

    def rejected(self, reason: str, by: UUID = HUB) -> "Journey":
        return self._say(says.ReferralRejected, "rejected", by, by, reason=reason, place="released")

    def missed(self, deadline: str) -> "Journey":
        due_at = self.sent_at + timedelta(hours=len(self.said))
        return self._say(says.DeadlineMissed, "received", None, HUB, deadline=deadline, due_at=due_at)

    def entered_in_error(self) -> "Journey":
        return self._say(says.ReferralEnteredInError, "entered_in_error", self.owner_id, HUB, reason="other")


def delivered_and_confirmed(**known: Any) -> Journey:
    """The whole loop: member state → hub → provider and back."""
    journey = Journey(**known)
    return journey.sent().received().passed_on().accepted().delivered().confirmed().acknowledged()
