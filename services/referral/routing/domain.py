"""The way of a referral: which organisations stand between the case owner and the provider."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from shared.errors import Unprocessable, invalid

PUBLIC_AUTHORITY = "public_authority"
INTERNATIONAL_ORGANISATION = "international_organisation"


@dataclass(frozen=True)
class Party:
    """An organisation as far as a leg is judged by it."""

    organization_id: UUID
    kind: str
    country: str


@dataclass(frozen=True)
class ServiceFacts:
    service_id: UUID
    organization_id: UUID
    programme_id: UUID | None
    type: str
    dimension: str
    country: str
    remote: bool
    open_to_all: bool


@dataclass(frozen=True)
class MechanismFacts:
    mechanism_id: UUID
    organization_id: UUID
    countries: frozenset[str]
    needs: frozenset[str]
    """Dimensions or types of service that it serves; empty: all."""
    procedure: bool
    """It names a procedure, so that a public service open to all needs no agreement."""
    development_referral_system: str

    def serves(self, service: ServiceFacts) -> bool:
        return not self.needs or service.type in self.needs or service.dimension in self.needs


@dataclass(frozen=True)
class Leg:
    """One stretch of the way: to whom, and by which mechanism."""

    organization_id: UUID
    mechanism_id: UUID | None


def choose_mechanism(nearest_first: Iterable[MechanismFacts], service: ServiceFacts) -> MechanismFacts | None:
    """The mechanism with the smallest area among those that serve the need; None: straight to the provider."""
    return next((mechanism for mechanism in nearest_first if mechanism.serves(service)), None)


def legs(sender_id: UUID, service: ServiceFacts, mechanism: MechanismFacts | None) -> list[Leg]:
    """The legs from the sender to the provider. None lies inside one organisation.

    A hub that is the provider, or the sender itself, is no stop of its own.
    """
    by = None if mechanism is None else mechanism.mechanism_id
    to_provider = Leg(service.organization_id, by)
    if mechanism is None or mechanism.organization_id in {sender_id, service.organization_id}:
        return [to_provider]
    return [Leg(mechanism.organization_id, by), to_provider]


def check_not_its_own(owner_id: UUID, service: ServiceFacts) -> None:
    """An owner's own service is a direct item of the plan and no referral."""
    if service.organization_id == owner_id:
        raise Unprocessable(
            errors=[invalid("/service_id", "is the case owner's own: that needs no referral", "own_service")]
        )
