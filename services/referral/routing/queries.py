"""Routing as of now: the way a referral takes, and the facts its legs are judged by, from what was heard."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Case
from services.referral.consents import queries as consents
from services.referral.known import queries as known
from services.referral.known.queries import KnownAgreement, KnownMechanism, KnownService
from services.referral.routing import domain, refusals
from services.referral.routing.domain import Leg, MechanismFacts, Party, ServiceFacts
from services.referral.routing.refusals import AgreementFacts, ConsentFacts, DerogationFacts, Facts
from shared import clock
from shared.errors import Conflict, Unprocessable, invalid

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
    decision_id: UUID | None
    declared_safe: bool
    requested_fields: frozenset[str] | None
    on_the_way: frozenset[UUID] = frozenset()
    owners_agreement_id: UUID | None = None
    """On a later leg, the agreement under which the case owner sent it."""
    duplicate: bool = False
    place_within_reach: bool = True


async def get_service(session: AsyncSession, service_id: UUID) -> KnownService:
    """A service that can be referred to."""
    service = await known.get_service(session, service_id)
    if service is None:
        raise Unprocessable(errors=[invalid("/service_id", "is no service that is known here", "unknown_service")])
    if service.retired:
        raise Unprocessable(errors=[invalid("/service_id", "is a service that is no longer given", "service_retired")])
    return service


async def plan(
    session: AsyncSession, case: Case, sender_id: UUID, service: KnownService, via: UUID | None
) -> tuple[MechanismFacts | None, list[Leg]]:
    """The mechanism that serves the case's area and need, or the one that `via` names, and the legs to the provider."""
    facts = service_facts(service)
    domain.check_not_its_own(case.owner_id, facts)
    if via is None:
        mechanism = domain.choose_mechanism(await mechanisms_that_count(session, case, sender_id, facts), facts)
    else:
        named = await known.get_mechanism(session, via)
        if named is None or not named.active or case.country_of_origin not in named.countries:
            detail = "is no mechanism that is active in the country of origin"
            raise Unprocessable(errors=[invalid("/via", detail, "unknown_mechanism")])
        mechanism = _mechanism(named)
    return mechanism, domain.legs(sender_id, facts, mechanism)


async def mechanisms_that_count(
    session: AsyncSession, case: Case, sender_id: UUID, service: ServiceFacts
) -> list[MechanismFacts]:
    """The mechanisms for the case's area to which this sender is led on the way to the service, the nearest first."""
    nearest = await known.mechanisms_for(session, case.country_of_origin, case.area)
    provider = (await _parties(session, {service.organization_id}))[service.organization_id]
    agreements = [_agreement(each) for each in await known.agreements_in_force(session, clock.today(), {sender_id})]
    return [
        mechanism
        for mechanism in map(_mechanism, nearest)
        if refusals.counts(mechanism, service, sender_id, provider, agreements)
    ]


async def facts(session: AsyncSession, case: Case, service: KnownService, leg: LegTold) -> Facts:
    """All that the leg is judged by, as heard up to now."""
    today = clock.today()
    parties = await _parties(session, {case.owner_id, leg.sender_id, leg.recipient_id, service.organization_id})
    mechanism = None if leg.mechanism_id is None else await known.get_mechanism(session, leg.mechanism_id)
    agreements = await known.agreements_in_force(session, today, {case.owner_id, leg.sender_id})
    sent_under = leg.owners_agreement_id and await known.get_agreement(session, leg.owners_agreement_id)
    return Facts(
        on=today,
        country_of_origin=case.country_of_origin,
        owner=parties[case.owner_id],
        sender=parties[leg.sender_id],
        recipient=parties[leg.recipient_id],
        provider=parties[service.organization_id],
        service=service_facts(service),
        mechanism=None if mechanism is None or not mechanism.active else _mechanism(mechanism),
        decided_eligible=await _decided_eligible(session, case.case_id, service.service_id, leg.decision_id),
        agreements=tuple(_agreement(each) for each in agreements),
        consents=tuple(
            ConsentFacts(each.recipient_organization_ids, each.recipient_kinds, each.fields)
            for each in await consents.consents_in_force(session, case.case_id, today, ASSISTANCE)
        ),
        derogations=tuple(
            DerogationFacts(each.article, each.recipient_id)
            for each in await consents.derogations_in_force(session, case.case_id, today)
        ),
        declared_safe=leg.declared_safe,
        requested_fields=leg.requested_fields,
        on_the_way=leg.on_the_way,
        owners_agreement=_agreement(sent_under) if sent_under else None,
        duplicate=leg.duplicate,
        place_within_reach=leg.place_within_reach,
    )


async def _parties(session: AsyncSession, organization_ids: Collection[UUID]) -> dict[UUID, Party]:
    found = await known.find_organizations(session, organization_ids)
    if len(found) < len(set(organization_ids)):
        raise OrganizationUnknown
    return {each.organization_id: Party(each.organization_id, each.kind, each.country) for each in found.values()}


async def _decided_eligible(session: AsyncSession, case_id: UUID, service_id: UUID, decision_id: UUID | None) -> bool:
    """The decision named is about this case and service, and the latest one about them is positive."""
    named = None if decision_id is None else await known.get_decision(session, decision_id)
    if named is None or (named.case_id, named.service_id) != (case_id, service_id):
        return False
    current = await known.current_decision(session, case_id, service_id) if named.superseded else named
    return current is not None and current.outcome == ELIGIBLE


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
        has_transfer_instrument=instrument is not None,
        onward_organization_ids=frozenset(instrument.onward_organization_ids) if instrument else frozenset(),
        onward_kinds=frozenset(instrument.onward_kinds) if instrument else frozenset(),
    )
