"""Every refusal of the contract alone: the leg is in order but for the one thing."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.referral.consents.domain import NOT_FOR_PUBLIC_AUTHORITIES
from services.referral.routing import refusals
from services.referral.routing.adequacy import ADEQUACY, EEA, is_adequate
from services.referral.routing.domain import MechanismFacts, Party, ServiceFacts
from services.referral.routing.refusals import (
    AgreementFacts,
    ConsentFacts,
    ConsentMissing,
    DecisionMissing,
    DerogationFacts,
    DuplicateReferral,
    Facts,
    NoActiveAgreement,
    NoCapacity,
    SafetyCheckMissing,
    TransferBasisMissing,
    judge,
    obstacles,
)
from shared.errors import Conflict

OWNER, HUB, PROVIDER, SERVICE, PROGRAMME, MECHANISM = (uuid4() for _ in range(6))
BE = Party(OWNER, "public_authority", "BE")
NG_HUB = Party(HUB, "ngo", "NG")
NG_PROVIDER = Party(PROVIDER, "ngo", "NG")
TODAY = date(2026, 5, 4)


def referral_agreement(*parties: UUID, **changes: Any) -> AgreementFacts:
    facts: dict[str, Any] = {
        "agreement_id": uuid4(),
        "kind": "sop",
        "party_ids": frozenset(parties or (OWNER, PROVIDER)),
        "service_ids": frozenset({SERVICE}),
        "countries": frozenset({"NG"}),
        "disclosed_fields": frozenset({"name", "contacts"}),
    }
    return AgreementFacts(**(facts | changes))


def data_sharing(*parties: UUID, **changes: Any) -> AgreementFacts:
    facts = {"kind": "data_sharing", "service_ids": frozenset(), "has_transfer_instrument": True}
    return referral_agreement(*parties, **(facts | changes))


def consent(*organizations: UUID, kinds: frozenset[str] = frozenset(), fields: str = "name contacts") -> ConsentFacts:
    return ConsentFacts(frozenset(organizations), kinds, frozenset(fields.split()))


IN_ORDER = Facts(
    on=TODAY,
    country_of_origin="NG",
    owner=BE,
    sender=BE,
    recipient=NG_PROVIDER,
    provider=NG_PROVIDER,
    service=ServiceFacts(SERVICE, PROVIDER, PROGRAMME, "housing", "social", "NG", False, False),
    mechanism=None,
    decided_eligible=True,
    agreements=(referral_agreement(), data_sharing(OWNER, PROVIDER)),
    consents=(consent(PROVIDER),),
    derogations=(),
    declared_safe=False,
)
SECOND_LEG = replace(
    IN_ORDER,
    sender=NG_HUB,
    mechanism=MechanismFacts(MECHANISM, HUB, frozenset({"NG"}), frozenset(), False, "unknown"),
    agreements=(
        referral_agreement(HUB, PROVIDER),
        data_sharing(OWNER, HUB, onward_kinds=frozenset({"ngo"})),
    ),
    on_the_way=frozenset({HUB}),
)


def only(facts: Facts) -> type[Conflict]:
    """The one thing that stands in the way."""
    found = obstacles(facts)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("facts", [IN_ORDER, SECOND_LEG])
def test_a_leg_in_order_is_travelled(facts: Facts) -> None:
    judge(facts, 1)


def test_the_first_obstacle_is_the_refusal_and_all_are_named() -> None:
    with pytest.raises(NoActiveAgreement) as refusal:
        judge(replace(IN_ORDER, agreements=(data_sharing(OWNER, PROVIDER),), consents=(), duplicate=True), 2)
    assert refusal.value.extensions == {
        "leg": 2,
        "obstacles": ["no-active-agreement", "consent-missing", "duplicate-referral"],
    }


def test_the_problems_are_named_as_in_the_contract() -> None:
    assert [problem.slug() for problem, _ in refusals.REFUSALS] == [
        "decision-missing",
        "no-active-agreement",
        "consent-missing",
        "transfer-basis-missing",
        "safety-check-missing",
        "duplicate-referral",
        "no-capacity",
    ]
    assert {problem.status for problem, _ in refusals.REFUSALS} == {409}


def test_without_a_positive_decision() -> None:
    assert only(replace(IN_ORDER, decided_eligible=False)) is DecisionMissing


def test_a_duplicate() -> None:
    assert only(replace(IN_ORDER, duplicate=True)) is DuplicateReferral


def test_without_a_place() -> None:
    assert only(replace(IN_ORDER, place_within_reach=False)) is NoCapacity


@pytest.mark.parametrize(
    "agreement",
    [
        referral_agreement(OWNER, HUB),
        referral_agreement(service_ids=frozenset({uuid4()})),
        referral_agreement(service_ids=frozenset(), mechanism_ids=frozenset({MECHANISM})),
        referral_agreement(countries=frozenset({"ET"})),
        referral_agreement(kind="data_sharing"),
    ],
    ids=["another party", "another service", "a mechanism that is not used", "another country", "data sharing alone"],
)
def test_without_an_agreement_that_covers_the_leg(agreement: AgreementFacts) -> None:
    facts = replace(IN_ORDER, agreements=(agreement, data_sharing(OWNER, PROVIDER)))
    assert only(facts) is NoActiveAgreement


@pytest.mark.parametrize(
    "cover",
    [
        {"service_ids": frozenset({SERVICE})},
        {"service_ids": frozenset(), "programme_ids": frozenset({PROGRAMME})},
        {"service_ids": frozenset(), "mechanism_ids": frozenset({MECHANISM})},
    ],
)
def test_an_agreement_covers_the_service_its_programme_or_its_mechanism(cover: dict[str, Any]) -> None:
    agreements = (referral_agreement(HUB, PROVIDER, **cover), SECOND_LEG.agreements[1])
    assert obstacles(replace(SECOND_LEG, agreements=agreements)) == []


def test_an_agreement_that_covers_no_programme_does_not_cover_a_service_without_one() -> None:
    service = replace(IN_ORDER.service, programme_id=None)
    agreement = referral_agreement(service_ids=frozenset(), programme_ids=frozenset({PROGRAMME}))
    facts = replace(IN_ORDER, service=service, agreements=(agreement, data_sharing(OWNER, PROVIDER)))
    assert only(facts) is NoActiveAgreement


def test_of_several_agreements_that_of_the_service_counts() -> None:
    by_mechanism = referral_agreement(HUB, PROVIDER, service_ids=frozenset(), mechanism_ids=frozenset({MECHANISM}))
    by_programme = referral_agreement(HUB, PROVIDER, service_ids=frozenset(), programme_ids=frozenset({PROGRAMME}))
    by_service = referral_agreement(HUB, PROVIDER)
    assert refusals.agreement_for(replace(SECOND_LEG, agreements=(by_mechanism, by_programme))) is by_programme
    assert (
        refusals.agreement_for(replace(SECOND_LEG, agreements=(by_mechanism, by_programme, by_service))) is by_service
    )


def test_a_public_service_open_to_all_needs_no_agreement_if_its_mechanism_names_a_procedure() -> None:
    authority = Party(PROVIDER, "public_authority", "NG")
    mechanism = MechanismFacts(MECHANISM, HUB, frozenset({"NG"}), frozenset(), True, "unknown")
    free = replace(
        SECOND_LEG,
        recipient=authority,
        provider=authority,
        service=replace(IN_ORDER.service, open_to_all=True),
        mechanism=mechanism,
        agreements=(data_sharing(OWNER, HUB, onward_kinds=frozenset({"public_authority"})),),
        declared_safe=True,
    )
    assert obstacles(free) == []
    assert only(replace(free, mechanism=replace(mechanism, procedure=False))) is NoActiveAgreement
    assert only(replace(free, service=IN_ORDER.service)) is NoActiveAgreement
    assert only(replace(free, provider=NG_PROVIDER)) is NoActiveAgreement


@pytest.mark.parametrize(
    ("consents", "requested", "missing"),
    [
        ((), None, True),
        ((consent(HUB),), None, True),
        ((consent(kinds=frozenset({"ngo"})),), None, False),
        ((consent(kinds=frozenset({"public_authority"})),), None, True),
        ((consent(PROVIDER, fields="name"),), None, False),
        ((consent(PROVIDER, fields="name"),), {"name"}, False),
        ((consent(PROVIDER, fields="name"),), {"name", "contacts"}, True),
        ((consent(PROVIDER, fields="name"), consent(PROVIDER, fields="contacts")), {"name", "contacts"}, False),
        ((consent(PROVIDER, fields="name"),), {"name", "address"}, False),  # the agreement discloses no address
    ],
)
def test_consent_names_the_recipient_or_its_kind_and_the_fields(
    consents: tuple[ConsentFacts, ...], requested: set[str] | None, missing: bool
) -> None:
    fields = None if requested is None else frozenset(requested)
    facts = replace(IN_ORDER, consents=consents, requested_fields=fields)
    assert obstacles(facts) == ([ConsentMissing] if missing else [])


def test_what_is_disclosed_is_requested_agreed_and_consented_to() -> None:
    facts = replace(IN_ORDER, consents=(consent(PROVIDER, fields="name contacts notes"),))
    assert refusals.disclosed_fields(facts) == {"name", "contacts"}
    assert refusals.disclosed_fields(replace(facts, requested_fields=frozenset({"name", "notes"}))) == {"name"}
    assert refusals.disclosed_fields(replace(facts, agreements=())) == set()
    assert refusals.disclosed_fields(replace(facts, consents=())) == set()


@pytest.mark.parametrize(("sees", "fields"), [(False, set()), (True, {"name", "contacts"})])
def test_a_hub_sees_identity_only_if_the_agreement_says_so(sees: bool, fields: set[str]) -> None:
    facts = replace(
        IN_ORDER,
        recipient=NG_HUB,
        agreements=(referral_agreement(OWNER, HUB, hub_sees_identity=sees), data_sharing(OWNER, HUB)),
        consents=(consent(HUB),),
    )
    assert obstacles(facts) == []
    assert refusals.disclosed_fields(facts) == fields


WITHOUT_INSTRUMENT = replace(IN_ORDER, agreements=(referral_agreement(),))


def test_without_a_basis_nothing_leaves() -> None:
    assert only(WITHOUT_INSTRUMENT) is TransferBasisMissing


@pytest.mark.parametrize("country", sorted({"NG", "US", "CA", "XK", "BR"}))
def test_outside_the_eea_and_adequate_countries_an_instrument_is_needed(country: str) -> None:
    assert refusals.is_outside(Party(PROVIDER, "ngo", country), TODAY)


@pytest.mark.parametrize("country", sorted(EEA | {decision.country for decision in ADEQUACY}))
def test_inside_none_is_needed_but_by_an_international_organisation(country: str) -> None:
    assert not refusals.is_outside(Party(PROVIDER, "ngo", country), TODAY)
    assert refusals.is_outside(Party(PROVIDER, "international_organisation", country), TODAY)


def test_adequacy_is_judged_by_date() -> None:
    assert not is_adequate("KR", date(2021, 12, 16))
    assert is_adequate("KR", date(2021, 12, 17))
    assert not is_adequate("GB", date(2032, 1, 1))


def test_an_owner_outside_the_eea_exports_nothing() -> None:
    owner = Party(OWNER, "ngo", "NG")
    assert obstacles(replace(WITHOUT_INSTRUMENT, owner=owner, sender=owner)) == []


def test_the_instrument_must_reach_the_recipient() -> None:
    for instrument in (
        data_sharing(OWNER, HUB),
        data_sharing(OWNER, PROVIDER, countries=frozenset({"ET"})),
        data_sharing(OWNER, PROVIDER, has_transfer_instrument=False),
        data_sharing(HUB, PROVIDER),
    ):
        assert only(replace(IN_ORDER, agreements=(referral_agreement(), instrument))) is TransferBasisMissing


@pytest.mark.parametrize(
    ("instrument", "permitted"),
    [
        (data_sharing(OWNER, HUB, onward_kinds=frozenset({"ngo"})), True),
        (data_sharing(OWNER, HUB, onward_organization_ids=frozenset({PROVIDER})), True),
        (data_sharing(OWNER, PROVIDER), True),
        (data_sharing(OWNER, HUB), False),
        (data_sharing(OWNER, HUB, onward_kinds=frozenset({"private"})), False),
        (data_sharing(HUB, PROVIDER), False),
        (data_sharing(OWNER, uuid4(), onward_kinds=frozenset({"ngo"})), False),
    ],
    ids=["its kind", "its name", "the recipient itself", "nobody onward", "another kind", "not the exporter's",
         "somebody the referral never reached"],
)  # fmt: skip
def test_a_leg_outside_rests_on_the_exporters_instrument(instrument: AgreementFacts, permitted: bool) -> None:
    facts = replace(SECOND_LEG, agreements=(SECOND_LEG.agreements[0], instrument))
    assert obstacles(facts) == ([] if permitted else [TransferBasisMissing])


@pytest.mark.parametrize("article", sorted(NOT_FOR_PUBLIC_AUTHORITIES))
def test_consent_is_never_the_basis_of_a_public_authoritys_transfer(article: str) -> None:
    derogation = (DerogationFacts(article, PROVIDER),)
    assert only(replace(WITHOUT_INSTRUMENT, derogations=derogation)) is TransferBasisMissing
    ngo = Party(OWNER, "ngo", "BE")
    assert obstacles(replace(WITHOUT_INSTRUMENT, derogations=derogation, owner=ngo, sender=ngo)) == []
    # On a leg between organisations outside it is the exporter who must be allowed to use it.
    onward = replace(SECOND_LEG, agreements=SECOND_LEG.agreements[:1], derogations=derogation)
    assert only(onward) is TransferBasisMissing


def test_a_derogation_is_for_its_recipient_alone() -> None:
    for recipient_id, permitted in ((PROVIDER, True), (HUB, False)):
        facts = replace(WITHOUT_INSTRUMENT, derogations=(DerogationFacts("49(1)(d)", recipient_id),))
        assert (obstacles(facts) == []) is permitted


def test_nothing_reaches_a_state_body_of_the_country_of_origin_before_it_is_known_to_be_safe() -> None:
    body = Party(PROVIDER, "public_authority", "NG")
    facts = replace(IN_ORDER, recipient=body, provider=body)
    assert only(facts) is SafetyCheckMissing
    assert obstacles(replace(facts, declared_safe=True)) == []
    assert obstacles(replace(facts, recipient=Party(PROVIDER, "public_authority", "GH"))) == []


def test_a_case_that_a_state_body_of_origin_owns_has_nothing_to_withhold_from_another() -> None:
    body, owner = Party(PROVIDER, "public_authority", "NG"), Party(OWNER, "public_authority", "NG")
    assert obstacles(replace(IN_ORDER, recipient=body, provider=body, owner=owner, sender=owner)) == []


def test_on_a_later_leg_nobody_sees_more_than_the_case_owner_agreed() -> None:
    wide = referral_agreement(HUB, PROVIDER, disclosed_fields=frozenset({"name", "notes"}), hub_sees_identity=True)
    consents = (consent(PROVIDER, HUB, fields="name contacts notes"),)
    facts = replace(SECOND_LEG, agreements=(wide, SECOND_LEG.agreements[1]), consents=consents)
    owners = referral_agreement(OWNER, HUB, disclosed_fields=frozenset({"name", "contacts"}))
    assert refusals.disclosed_fields(facts) == {"name", "notes"}
    assert refusals.disclosed_fields(replace(facts, owners_agreement=owners)) == {"name"}
    # Another hub sees what both let a hub see.
    other = replace(facts, sender=NG_PROVIDER, recipient=NG_HUB)
    assert refusals.disclosed_fields(other) == {"name", "notes"}
    assert refusals.disclosed_fields(replace(other, owners_agreement=owners)) == set()
    seeing = replace(owners, hub_sees_identity=True)
    assert refusals.disclosed_fields(replace(other, owners_agreement=seeing)) == {"name"}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"kind": "data_sharing"}, False),
        ({"party_ids": frozenset({OWNER, PROVIDER})}, False),
        ({"party_ids": frozenset({HUB, PROVIDER})}, False),
        ({"mechanism_ids": frozenset({uuid4()})}, False),
        ({"mechanism_ids": frozenset(), "programme_ids": frozenset({PROGRAMME})}, False),
    ],
)
def test_a_mechanism_counts_where_an_agreement_with_its_organisation_names_it(
    changes: dict[str, Any], counts: bool
) -> None:
    agreed: dict[str, Any] = {"mechanism_ids": frozenset({MECHANISM})}
    agreement = referral_agreement(OWNER, HUB, **(agreed | changes))
    mechanism = SECOND_LEG.mechanism
    assert mechanism is not None
    assert refusals.counts(mechanism, IN_ORDER.service, OWNER, NG_PROVIDER, [agreement]) is counts


def test_a_mechanism_of_ones_own_of_the_providers_or_to_what_is_open_to_all_counts() -> None:
    mechanism = MechanismFacts(MECHANISM, HUB, frozenset({"NG"}), frozenset(), False, "unknown")
    service = IN_ORDER.service
    assert not refusals.counts(mechanism, service, OWNER, NG_PROVIDER, [])
    assert refusals.counts(mechanism, service, HUB, NG_PROVIDER, [])
    assert refusals.counts(replace(mechanism, organization_id=PROVIDER), service, OWNER, NG_PROVIDER, [])
    authority, free = Party(PROVIDER, "public_authority", "NG"), replace(service, open_to_all=True)
    procedure = replace(mechanism, procedure=True)
    assert refusals.counts(procedure, free, OWNER, authority, [])
    assert not refusals.counts(mechanism, free, OWNER, authority, [])
    assert not refusals.counts(procedure, service, OWNER, authority, [])
    assert not refusals.counts(procedure, free, OWNER, NG_PROVIDER, [])
