"""Where a service can be had, and what stands in the way of a referral to it, judged from what was heard."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

STALE_AFTER = timedelta(days=180)
"""A service that nobody confirmed for so long cannot be referred to, where the registry names no day (the project's own
default)."""


class Coverage(StrEnum):
    """How an area lies to a service: inside, outside, or (known too coarsely) perhaps inside."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class Blocker(StrEnum):
    """Why a referral would be refused today."""

    OWN_SERVICE = "own_service"
    NO_AGREEMENT = "no_agreement"
    NO_PLACE = "no_place"
    PROGRAMME_ENDED = "programme_ended"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A published service as the registry and the ledger of places told it."""

    service_id: UUID
    organization_id: UUID
    programme_id: UUID | None = None
    name: str
    translations: dict[str, str]
    type: str
    dimension: str
    country: str
    covered_areas: tuple[str, ...]
    remote: bool = False
    open_to_all: bool = False
    public: bool = False
    """A public authority provides it."""
    waiting_days: int | None = None
    confirmed_on: date | None = None
    review_by: date | None = None
    """The last day on which it counts as fresh, as the registry says for its kind."""
    set_aside: int | None = None
    free: int | None = None
    """None where places are not counted."""
    queued: int = 0
    programme_ends_on: date | None = None
    programme_closed: bool = False

    @property
    def stale_after(self) -> timedelta:
        """How long an assurance of it holds."""
        if self.confirmed_on is None or self.review_by is None or self.review_by <= self.confirmed_on:
            return STALE_AFTER
        return self.review_by - self.confirmed_on

    def serves(self, needs: Collection[str]) -> bool:
        """Whether it answers one of `needs`, each a dimension or a service type; no needs: every service does."""
        return not needs or self.type in needs or self.dimension in needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement in force to which the caller is a party."""

    parties: frozenset[UUID]
    service_ids: frozenset[UUID] = frozenset()
    programme_ids: frozenset[UUID] = frozenset()
    mechanism_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    mechanism_id: UUID
    organization_id: UUID
    covered_areas: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    has_procedure: bool = False

    def reaches(self, service: Service, area: str | None) -> bool:
        """Whether a referral to `service` may travel through it: it serves the need, and the area or all of it."""
        if self.needs and not service.serves(self.needs):
            return False
        wanted = [area] if area else service.covered_areas
        return not self.covered_areas or any(
            coverage(self.covered_areas, one) is not Coverage.OUTSIDE for one in wanted
        )


def nesting(covered_areas: Collection[str], area: str) -> str | None:
    """The narrowest of the covered areas that contains `area`; codes nest by their beginnings."""
    return max((code for code in covered_areas if area.startswith(code)), key=len, default=None)


def coverage(covered_areas: Collection[str], area: str | None) -> Coverage:
    """Whether `area` is covered. An area that is coarser than the covered ones is only perhaps."""
    if area is None:
        return Coverage.UNKNOWN
    if nesting(covered_areas, area) is not None:
        return Coverage.INSIDE
    return Coverage.UNKNOWN if any(code.startswith(area) for code in covered_areas) else Coverage.OUTSIDE


def covers(service: Service, area: str | None) -> Coverage:
    """Whether the service can be had in `area` (None: nobody said where). A remote one covers its whole country."""
    if service.remote or service.country in service.covered_areas:
        return Coverage.INSIDE
    return coverage(service.covered_areas, area)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the caller's organisation can rest a referral on, today."""

    organization_id: UUID
    today: date
    agreements: Sequence[Agreement] = ()
    mechanisms: Sequence[Mechanism] = ()

    def obstacles(self, service: Service, area: str | None) -> tuple[Blocker, ...]:
        """Every known reason why a referral to `service` would be refused today; none: it is referable."""
        if service.organization_id == self.organization_id:
            return (Blocker.OWN_SERVICE,)  # what one's own organisation gives is no referral but an item of the plan
        found = {
            Blocker.NO_AGREEMENT: not self._agreed(service, area),
            Blocker.NO_PLACE: service.free is not None and (service.free <= 0 or service.queued > 0),
            Blocker.PROGRAMME_ENDED: service.programme_closed
            or (service.programme_ends_on is not None and service.programme_ends_on < self.today),
            Blocker.STALE: service.confirmed_on is not None and self.today - service.confirmed_on > service.stale_after,
        }
        return tuple(blocker for blocker, stands in found.items() if stands)

    def _agreed(self, service: Service, area: str | None) -> bool:
        """The first leg, to the hub of a mechanism or straight to the provider, is covered or needs no agreement.

        Straight is always looked at: where a hub comes first, what makes its mechanism count covers the leg to it.
        """
        if self._covered(service, service.organization_id, None):
            return True
        ways = [mechanism for mechanism in self.mechanisms if mechanism.reaches(service, area)]
        return any(
            _needs_none(service, way)
            or (self._counts(service, way) and self._covered(service, self._first_stop(service, way), way.mechanism_id))
            for way in ways
        )

    def _counts(self, service: Service, way: Mechanism) -> bool:
        """Nobody is led to a hub that only named itself: the mechanism is the provider's own, or an agreement of the
        caller with its organisation names it. One that covers the service or the programme alone makes no hub."""
        return way.organization_id == service.organization_id or any(
            way.mechanism_id in agreement.mechanism_ids and way.organization_id in agreement.parties
            for agreement in self.agreements
        )

    def _first_stop(self, service: Service, way: Mechanism) -> UUID:
        """A hub that is the provider, or the caller itself, is no stop of its own."""
        hub = way.organization_id
        return service.organization_id if hub == self.organization_id else hub

    def _covered(self, service: Service, recipient: UUID, mechanism_id: UUID | None) -> bool:
        return any(
            recipient in agreement.parties
            and (
                service.service_id in agreement.service_ids
                or service.programme_id in agreement.programme_ids
                or mechanism_id in agreement.mechanism_ids
            )
            for agreement in self.agreements
        )


def _needs_none(service: Service, way: Mechanism) -> bool:
    """A public service open to all needs no agreement where its mechanism names a procedure."""
    return service.open_to_all and service.public and way.has_procedure
