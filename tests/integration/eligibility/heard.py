"""What the other services say in these tests, and who asks: only what a test says differs from the ordinary."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from shared import clock
from shared.events import Event
from shared.events.referral import CaseChanged, CaseRegistered, CoarseMember, PlacesChanged
from shared.events.registry import AgreementSigned, Covers, Party, ServiceChanged, ServicePublished
from shared.ids import new_id

EVALUATE, WRITE, VALIDATE = "eligibility:evaluate", "eligibility:write", "eligibility:validate"


@dataclass(frozen=True)
class Client:
    """A client with a token of its own."""

    sub: str
    org_id: UUID
    scope: str
    country: str | None = None


BE, DE, PROVIDER_ORG, DESK = UUID(int=3), UUID(int=4), UUID(int=6), UUID(int=7)
COUNSELLOR = Client("be-return", BE, EVALUATE, "BE")
COLLEAGUE = Client("be-review", BE, EVALUATE, "BE")
OTHER_STATE = Client("de-return", DE, EVALUATE, "DE")
PROVIDER = Client("ng-provider", PROVIDER_ORG, f"{EVALUATE} {WRITE}", "NG")
MANAGER = Client("programme-manager", DESK, f"{EVALUATE} {WRITE} {VALIDATE}")
NOBODY = Client("evaluator", UUID(int=8), "indicators:read")

EDO, LAGOS = "NG012", "NG025"

ADULT = {
    "criterion_id": "adult",
    "operation": "age_between",
    "fact": "born_on",
    "minimum": 18,
    "text": {"eng": "Is 18 or older", "fra": "A 18 ans ou plus"},
    "source": "Programme document, 3.1",
}
PAPERS = {"criterion_id": "papers", "operation": "is_true", "fact": "has_valid_id", "text": {"eng": "Has valid papers"}}
NEWCOMER = {
    "criterion_id": "newcomer",
    "operation": "is_true",
    "kind": "exclusion",
    "fact": "assisted_before",
    "text": {"eng": "Was not assisted for an earlier return"},
}


def published(service_id: UUID | None = None, version: int = 1, **more: Any) -> ServicePublished | ServiceChanged:
    """A vocational training of the provider in Edo, places not counted."""
    kind = ServicePublished if version == 1 else ServiceChanged
    told: dict[str, Any] = {
        "organization_id": PROVIDER_ORG,
        "name": "Tailoring course",
        "type": "vocational_training",
        "dimension": "economic",
        "level": "individual",
        "country": "NG",
        "areas": [EDO],
        "covered_areas": [EDO],
        "confirmed_on": clock.today(),
    } | more
    return kind(service_id=service_id or new_id(), version=version, **told)


def registered(case_id: UUID | None = None, version: int = 1, **more: Any) -> CaseRegistered | CaseChanged:
    """A woman who returns from Belgium to Edo by her own will, in ninety days."""
    kind = CaseRegistered if version == 1 else CaseChanged
    state: dict[str, Any] = {
        "occurred_at": clock.now(),
        "owner_id": BE,
        "member_state": "BE",
        "country_of_origin": "NG",
        "area": EDO,
        "return_type": "voluntary",
        "origin": "sender",
        "phase": "pre_departure",
        "planned_arrival_on": arrival(),
        "arrival_certainty": "expected",
        "members": [CoarseMember(member_id=new_id(), sex="female", age_band="18-24")],
    } | more
    return kind(case_id=case_id or new_id(), version=version, **state)


def arrival() -> date:
    return clock.today() + timedelta(days=90)


def signed(*service_ids: UUID, version: int = 1, **more: Any) -> AgreementSigned:
    """An agreement of the member state with the provider on these services, in force."""
    told: dict[str, Any] = {
        "agreement_id": new_id(),
        "kind": "referral_protocol",
        "parties": [Party(organization_id=BE), Party(organization_id=PROVIDER_ORG)],
        "covers": Covers(service_ids=list(service_ids)),
        "countries": ["BE", "NG"],
        "valid_from": clock.today() - timedelta(days=1),
        "valid_until": clock.today() + timedelta(days=365),
    } | more
    return AgreementSigned(version=version, **told)


def places(service_id: UUID, free: int, version: int = 1) -> Event:
    told = {"set_aside": 2, "held": 2 - free, "offered": 0, "used": 0, "queued": 0, "free": free}
    return PlacesChanged.model_validate({"service_id": service_id, "version": version} | told)
