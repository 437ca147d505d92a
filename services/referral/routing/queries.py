"""Routing as of now: the way a referral takes, and the facts its legs are judged by, from what was heard."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Case
from services.referral.consents import queries as consents
from services.referral.known import queries as known
from services.referral.known.queries import KnownAgreement, KnownMechanism, KnownOrganization, KnownService
from services.referral.routing import domain, refusals
from services.referral.routing.domain import Leg, MechanismFacts, Party, ServiceFacts
from services.referral.routing.refusals import AgreementFacts, ConsentFacts, DerogationFacts, Facts
from shared import clock
from shared.errors import Conflict, Unprocessable, invalid
from shared.questions import Answers

ASSISTANCE = "assistance"
ELIGIBLE = "eligible"


class OrganizationUnknown(Conflict):
    """An organisation of this leg has not been heard of here yet"""


@dataclass(frozen=True)
class LegTold:
    """A leg to be judged, as the referral tells it."""

    sender_id: UUID
    recipient_id: UUID
    mechanism_id: UUID | None
    declared_safe: bool
    requested_fields: frozenset[str] | None
    on_the_way: frozenset[UUID] = frozenset()
    owners_agreement_id: UUID | None = None
    """On a later leg, the agreement under which the case owner sent it."""
    duplicate: bool = False
    place_within_reach: bool = True


@dataclass(frozen=True)
class Ground:
    """What the legs of one case to one service are judged by, as heard up to now."""

    on: date
    country_of_origin: str
    area: str | None
    owner_id: UUID
    service: KnownService | None
    organizations: Mapping[UUID, KnownOrganization]
    mechanisms: Sequence[KnownMechanism]
    agreements: tuple[AgreementFacts, ...]
    sent_under: Sequence[AgreementFacts]
    decided_eligible: bool
    consents: tuple[ConsentFacts, ...]
    derogations: tuple[DerogationFacts, ...]

    def party(self, organization_id: UUID) -> Party:
        if (found := self.organizations.get(organization_id)) is None:
            raise OrganizationUnknown
        return Party(found.organization_id, found.kind, found.country)

    def mechanism(self, mechanism_id: UUID | None) -> KnownMechanism | None:
        return next((each for each in self.mechanisms if each.mechanism_id == mechanism_id), None)

    def agreement(self, agreement_id: UUID | None) -> AgreementFacts | None:
        known_here = (*self.agreements, *self.sent_under)
        return next((each for each in known_here if each.agreement_id == agreement_id), None)


GROUND = (
    known.SERVICE,
    known.ORGANIZATIONS,
    known.MECHANISMS,
    known.AGREEMENTS,
    known.SENT_UNDER,
    known.DECISION,
    consents.CONSENTS,
    consents.DEROGATIONS,
)
"""What is asked for a `Ground`, with the parameters of `asked_of`."""


def asked_of(
    case: Case,
    service_id: UUID,
    *,
    decision_id: UUID | None,
    organization_ids: Collection[UUID] = (),
    mechanism_ids: Collection[UUID] = (),
    sent_under_id: UUID | None = None,
) -> dict[str, Any]:
    """`organization_ids`: those on the way so far and the next one, besides owner and provider."""
    return {
        "on": clock.today(),
        "case_id": case.case_id,
        "countries": [case.country_of_origin],
        "service_id": service_id,
        "decision_id": decision_id,
        "organization_ids": sorted({case.owner_id, *organization_ids}),
        "mechanism_ids": sorted(mechanism_ids),
        "sent_under_id": sent_under_id,
        "purpose": ASSISTANCE,
    }


def ground_of(case: Case, answers: Answers) -> Ground:
    return Ground(
        on=clock.today(),
        country_of_origin=case.country_of_origin,
        area=case.area,
        owner_id=case.owner_id,
        service=next(iter(answers.to(known.SERVICE)), None),
        organizations={each.organization_id: each for each in answers.to(known.ORGANIZATIONS)},
        mechanisms=answers.to(known.MECHANISMS),
        agreements=tuple(map(_agreement, answers.to(known.AGREEMENTS))),
        sent_under=list(map(_agreement, answers.to(known.SENT_UNDER))),
        decided_eligible=any(each.named and each.outcome == ELIGIBLE for each in answers.to(known.DECISION)),
        consents=tuple(
            ConsentFacts(each.recipient_organization_ids, each.recipient_kinds, each.fields)
            for each in answers.to(consents.CONSENTS)
        ),
        derogations=tuple(
            DerogationFacts(each.article, each.recipient_id) for each in answers.to(consents.DEROGATIONS)
        ),
    )


async def get_service(session: AsyncSession, service_id: UUID) -> KnownService:
    """A service that can be referred to."""
    return referable(await known.get_service(session, service_id))


def referable(service: KnownService | None) -> KnownService:
    if service is None:
        raise Unprocessable(errors=[invalid("/service_id", "is no service that is known here", "unknown_service")])
    if service.retired:
        raise Unprocessable(errors=[invalid("/service_id", "is a service that is no longer given", "service_retired")])
    return service


def plan(
    ground: Ground, sender_id: UUID, service: KnownService, via: UUID | None
) -> tuple[MechanismFacts | None, list[Leg]]:
    """The mechanism that serves the case's area and need, or the one that `via` names, and the legs to the provider."""
    facts = service_facts(service)
    domain.check_not_its_own(ground.owner_id, facts)
    if via is None:
        mechanism = domain.choose_mechanism(mechanisms_that_count(ground, sender_id, facts), facts)
    else:
        named = ground.mechanism(via)
        if named is None or not named.active or ground.country_of_origin not in named.countries:
            detail = "is no mechanism that is active in the country of origin"
            raise Unprocessable(errors=[invalid("/via", detail, "unknown_mechanism")])
        mechanism = _mechanism(named)
    return mechanism, domain.legs(sender_id, facts, mechanism)


def mechanisms_that_count(ground: Ground, sender_id: UUID, service: ServiceFacts) -> list[MechanismFacts]:
    """The mechanisms for the case's area to which this sender is led on the way to the service, the nearest first."""
    provider = ground.party(service.organization_id)
    nearest = known.nearest_first(ground.mechanisms, ground.country_of_origin, ground.area)
    return [
        mechanism
        for mechanism in map(_mechanism, nearest)
        if refusals.counts(mechanism, service, sender_id, provider, ground.agreements)
    ]


def facts(ground: Ground, service: KnownService, leg: LegTold) -> Facts:
    """All that the leg is judged by."""
    mechanism = ground.mechanism(leg.mechanism_id)
    return Facts(
        on=ground.on,
        country_of_origin=ground.country_of_origin,
        owner=ground.party(ground.owner_id),
        sender=ground.party(leg.sender_id),
        recipient=ground.party(leg.recipient_id),
        provider=ground.party(service.organization_id),
        service=service_facts(service),
        mechanism=None if mechanism is None or not mechanism.active else _mechanism(mechanism),
        decided_eligible=ground.decided_eligible,
        agreements=ground.agreements,
        consents=ground.consents,
        derogations=ground.derogations,
        declared_safe=leg.declared_safe,
        requested_fields=leg.requested_fields,
        on_the_way=leg.on_the_way,
        owners_agreement=ground.agreement(leg.owners_agreement_id),
        duplicate=leg.duplicate,
        place_within_reach=leg.place_within_reach,
    )


def service_facts(service: KnownService) -> ServiceFacts:
    return ServiceFacts(
        service_id=service.service_id,
        organization_id=service.organization_id,
        programme_id=service.programme_id,
        type=service.type,
        dimension=service.dimension,
        country=service.country,
        remote=service.remote,
        open_to_all=service.open_to_all,
    )


def _mechanism(mechanism: KnownMechanism) -> MechanismFacts:
    return MechanismFacts(
        mechanism_id=mechanism.mechanism_id,
        organization_id=mechanism.organization_id,
        countries=frozenset(mechanism.countries),
        needs=frozenset(mechanism.needs),
        procedure=bool(mechanism.procedure),
        development_referral_system=mechanism.development_referral_system,
    )


def _agreement(agreement: KnownAgreement) -> AgreementFacts:
    instrument = agreement.transfer_instrument
    return AgreementFacts(
        agreement_id=agreement.agreement_id,
        kind=agreement.kind,
        party_ids=agreement.party_ids,
        service_ids=frozenset(agreement.covers.service_ids),
        programme_ids=frozenset(agreement.covers.programme_ids),
        mechanism_ids=frozenset(agreement.covers.mechanism_ids),
        countries=frozenset(agreement.countries),
        disclosed_fields=frozenset(agreement.disclosure.fields),
        hub_sees_identity=agreement.disclosure.hub_sees_identity,
        deadlines=agreement.deadlines.model_dump(),
        # Art. 45 is a decision on the country: that binds by itself, and is no safeguard of two parties.
        has_transfer_instrument=instrument is not None and instrument.article.startswith("46"),
        onward_organization_ids=frozenset(instrument.onward_organization_ids) if instrument else frozenset(),
        onward_kinds=frozenset(instrument.onward_kinds) if instrument else frozenset(),
    )
