"""What must hold before a leg is travelled: one table of problem and check, judged from loaded facts.

Every leg is judged again, by what this service has heard on the day.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.referral.consents.domain import NOT_FOR_PUBLIC_AUTHORITIES
from services.referral.routing.adequacy import is_adequate, is_in_eea
from services.referral.routing.domain import (
    INTERNATIONAL_ORGANISATION,
    PUBLIC_AUTHORITY,
    MechanismFacts,
    Party,
    ServiceFacts,
)
from shared.errors import Conflict

DATA_SHARING = "data_sharing"


class DecisionMissing(Conflict):
    """No positive decision of eligibility is recorded for this case and service"""


class NoActiveAgreement(Conflict):
    """No agreement in force covers this leg"""


class ConsentMissing(Conflict):
    """The returnee's consent does not name this recipient and these fields"""


class TransferBasisMissing(Conflict):
    """Nothing permits the transfer of personal data to this recipient"""


class SafetyCheckMissing(Conflict):
    """Nobody has recorded that it is safe to tell a state body of the country of origin"""


class DuplicateReferral(Conflict):
    """This case has an open referral to this service"""


class NoCapacity(Conflict):
    """No place is free, and the referral is not to wait"""


@dataclass(frozen=True)
class AgreementFacts:
    """An agreement in force on the day."""

    agreement_id: UUID
    kind: str
    party_ids: frozenset[UUID]
    service_ids: frozenset[UUID] = frozenset()
    programme_ids: frozenset[UUID] = frozenset()
    mechanism_ids: frozenset[UUID] = frozenset()
    countries: frozenset[str] = frozenset()
    disclosed_fields: frozenset[str] = frozenset()
    hub_sees_identity: bool = False
    deadlines: Mapping[str, int | None] = field(default_factory=dict)
    has_transfer_instrument: bool = False
    onward_organization_ids: frozenset[UUID] = frozenset()
    onward_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ConsentFacts:
    """A consent to be assisted, in force on the day."""

    organization_ids: frozenset[UUID]
    kinds: frozenset[str]
    fields: frozenset[str]

    def names(self, party: Party) -> bool:
        return party.organization_id in self.organization_ids or party.kind in self.kinds


@dataclass(frozen=True)
class DerogationFacts:
    """A derogation of GDPR Art. 49(1) in force on the day, and for whom it was recorded."""

    article: str
    recipient_id: UUID


@dataclass(frozen=True)
class Facts:
    """All that a leg is judged by."""

    on: date
    country_of_origin: str
    owner: Party
    sender: Party
    recipient: Party
    provider: Party
    service: ServiceFacts
    mechanism: MechanismFacts | None
    decided_eligible: bool
    agreements: tuple[AgreementFacts, ...]
    consents: tuple[ConsentFacts, ...]
    derogations: tuple[DerogationFacts, ...]
    declared_safe: bool
    requested_fields: frozenset[str] | None = None
    """The fields of identity that the case owner wants disclosed; None: whatever agreement and consent both allow."""
    on_the_way: frozenset[UUID] = frozenset()
    """The organisations that the referral has reached already."""
    owners_agreement: AgreementFacts | None = None
    """On a later leg: the agreement under which the case owner sent it. None: the first leg needed none."""
    duplicate: bool = False
    place_within_reach: bool = True
    """A place is held or can be, or the referral may wait, or places are not counted."""

    @property
    def to_provider(self) -> bool:
        return self.recipient.organization_id == self.service.organization_id


def permits(agreement: AgreementFacts, facts: Facts) -> bool:
    """Both organisations of the leg are parties, and service (or its mechanism) and countries are covered."""
    service = facts.service
    covered = (
        service.service_id in agreement.service_ids
        or service.programme_id in agreement.programme_ids
        or (facts.mechanism is not None and facts.mechanism.mechanism_id in agreement.mechanism_ids)
    )
    return (
        agreement.kind != DATA_SHARING
        and {facts.sender.organization_id, facts.recipient.organization_id} <= agreement.party_ids
        and covered
        and {facts.country_of_origin, service.country} <= agreement.countries
    )


def agreement_for(facts: Facts) -> AgreementFacts | None:
    """The agreement that permits the leg; of several, the one that names the service, then its programme."""
    fitting = [agreement for agreement in facts.agreements if permits(agreement, facts)]

    def closeness(agreement: AgreementFacts) -> tuple[bool, bool]:
        named = facts.service.service_id in agreement.service_ids
        return (not named, facts.service.programme_id not in agreement.programme_ids)

    return min(fitting, key=closeness, default=None)


def needs_no_agreement(facts: Facts) -> bool:
    """A public service open to all, reached by a mechanism that names a procedure."""
    return facts.mechanism is not None and _open_by(facts.mechanism, facts.service, facts.provider)


def _open_by(mechanism: MechanismFacts, service: ServiceFacts, provider: Party) -> bool:
    return service.open_to_all and provider.kind == PUBLIC_AUTHORITY and mechanism.procedure


def counts(
    mechanism: MechanismFacts,
    service: ServiceFacts,
    sender_id: UUID,
    provider: Party,
    agreements: Iterable[AgreementFacts],
) -> bool:
    """Nobody is led to a hub that only named itself.

    The mechanism is the provider's or the sender's own; or an agreement of the sender with its organisation names it,
    for one that covers the service or the programme alone makes no hub; or the service is open to all by it.
    """
    return (
        mechanism.organization_id in {service.organization_id, sender_id}
        or _open_by(mechanism, service, provider)
        or any(
            agreement.kind != DATA_SHARING
            and mechanism.mechanism_id in agreement.mechanism_ids
            and {sender_id, mechanism.organization_id} <= agreement.party_ids
            for agreement in agreements
        )
    )


def agreed(facts: Facts) -> bool:
    return needs_no_agreement(facts) or agreement_for(facts) is not None


def _agreed_fields(facts: Facts) -> frozenset[str] | None:
    """What the agreements let this recipient see of identity; None: no agreement limits it.

    On a later leg what its two organisations agreed never widens what the case owner agreed.
    """
    agreement, owners = agreement_for(facts), facts.owners_agreement
    if not facts.to_provider and agreement is None:
        return frozenset()
    limit: frozenset[str] | None = None
    for each in (agreement, owners):
        if each is None:
            continue
        seen = each.disclosed_fields if facts.to_provider or each.hub_sees_identity else frozenset()
        limit = seen if limit is None else limit & seen
    return limit


def _consented_fields(facts: Facts) -> frozenset[str]:
    return frozenset().union(*(consent.fields for consent in facts.consents if consent.names(facts.recipient)))


def disclosed_fields(facts: Facts) -> frozenset[str]:
    """The fields of identity this recipient may see: requested, agreed and consented to."""
    if not agreed(facts):
        return frozenset()
    fields = _consented_fields(facts)
    for limit in (_agreed_fields(facts), facts.requested_fields):
        if limit is not None:
            fields &= limit
    return fields


def consented(facts: Facts) -> bool:
    """Consent to be assisted names this recipient, and every field that would be disclosed to it by request."""
    if not any(consent.names(facts.recipient) for consent in facts.consents):
        return False
    if facts.requested_fields is None:
        return True
    limit = _agreed_fields(facts)
    wanted = facts.requested_fields if limit is None else facts.requested_fields & limit
    return wanted <= _consented_fields(facts)


def is_outside(party: Party, on: date) -> bool:
    """Outside the EEA and every adequate country; international organisations always."""
    return party.kind == INTERNATIONAL_ORGANISATION or not (is_in_eea(party.country) or is_adequate(party.country, on))


def derogation_fits(derogation: DerogationFacts, exporter: Party, recipient: Party) -> bool:
    """It was recorded for this recipient, and this kind of sender may use it (Art. 49(3))."""
    usable = exporter.kind != PUBLIC_AUTHORITY or derogation.article not in NOT_FOR_PUBLIC_AUTHORITIES
    return derogation.recipient_id == recipient.organization_id and usable


def transfer_permitted(facts: Facts) -> bool:
    """GDPR Chapter V for this leg.

    A leg that starts in the EEA rests on its sender's own instrument with the recipient. One between organisations
    outside rests on the exporter's: the case owner's, with somebody the referral has reached, if it names the
    recipient or its kind. Where the case owner itself is outside the EEA nothing is exported from it.
    """
    recipient = facts.recipient
    if not is_in_eea(facts.owner.country) or not is_outside(recipient, facts.on):
        return True
    sender_exports = is_in_eea(facts.sender.country) and facts.sender.kind != INTERNATIONAL_ORGANISATION
    exporter = facts.sender if sender_exports else facts.owner
    return any(_carries(agreement, facts, exporter) for agreement in facts.agreements) or any(
        derogation_fits(derogation, exporter, recipient) for derogation in facts.derogations
    )


def _carries(agreement: AgreementFacts, facts: Facts, exporter: Party) -> bool:
    """Its instrument of Art. 46 reaches the recipient from the exporter, directly or as an onward transfer."""
    if (
        not agreement.has_transfer_instrument
        or exporter.organization_id not in agreement.party_ids
        or facts.country_of_origin not in agreement.countries
    ):
        return False
    recipient = facts.recipient
    if recipient.organization_id in agreement.party_ids:
        return True
    onward = recipient.organization_id in agreement.onward_organization_ids or recipient.kind in agreement.onward_kinds
    importers = agreement.party_ids & facts.on_the_way - {exporter.organization_id}
    return onward and bool(importers)


def is_state_body_of_origin(party: Party, country_of_origin: str) -> bool:
    return party.kind == PUBLIC_AUTHORITY and party.country == country_of_origin


def safe(facts: Facts) -> bool:
    """The recipient is no state body of the country of origin, or the counsellor has recorded that it is safe.

    Where the case owner is such a body itself there is nothing left to withhold.
    """
    return (
        facts.declared_safe
        or not is_state_body_of_origin(facts.recipient, facts.country_of_origin)
        or is_state_body_of_origin(facts.owner, facts.country_of_origin)
    )


REFUSALS: tuple[tuple[type[Conflict], Callable[[Facts], bool]], ...] = (
    (DecisionMissing, lambda facts: facts.decided_eligible),
    (NoActiveAgreement, agreed),
    (ConsentMissing, consented),
    (TransferBasisMissing, transfer_permitted),
    (SafetyCheckMissing, safe),
    # Before capacity: the first of two may have taken the last place, and that is not why the second is refused.
    (DuplicateReferral, lambda facts: not facts.duplicate),
    (NoCapacity, lambda facts: facts.place_within_reach),
)
"""Problem, and what must hold; the first that does not hold is the refusal."""

SHARING = (NoActiveAgreement, ConsentMissing, TransferBasisMissing)
"""What permits that anything is shared: looked at again when a consent, an agreement or a basis ends."""


def obstacles(facts: Facts) -> list[type[Conflict]]:
    """Everything that stands in the way of the leg, in the order of the table."""
    return [problem for problem, holds in REFUSALS if not holds(facts)]


def judge(facts: Facts, leg: int) -> None:
    """Refuse the leg with the first obstacle, naming all of them."""
    if found := obstacles(facts):
        raise found[0](leg=leg, obstacles=[problem.slug() for problem in found])
