"""What stands in the way of a referral, judged from what was heard."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.eligibility.known.domain import Agreement, Coverage, Mechanism, Service, Standing, coverage
from tests.unit.eligibility.people import BENIN_CITY, EDO, LAGOS, service

TODAY = date(2026, 6, 1)
SENDER, HUB, PROVIDER = UUID(int=2000), UUID(int=3000), UUID(int=1000)
EDO_MECHANISM = frozenset({UUID(int=50)})
HUB_EDO = Mechanism(mechanism_id=UUID(int=50), organization_id=HUB, covered_areas=(EDO,))


def agreement(*others: UUID, **more: Any) -> Agreement:
    return Agreement(parties=frozenset({SENDER, *others}), **more)


def obstacles(
    at: Service, *agreements: Agreement, mechanisms: tuple[Mechanism, ...] = (), area: str | None = EDO
) -> tuple[str, ...]:
    standing = Standing(organization_id=SENDER, today=TODAY, agreements=agreements, mechanisms=mechanisms)
    return standing.obstacles(at, area)


SERVICE = frozenset({UUID(int=1)})
WITH_PROVIDER = agreement(PROVIDER, service_ids=SERVICE)


@pytest.mark.parametrize(
    ("agreed", "mechanisms"),
    [
        (agreement(PROVIDER, service_ids=SERVICE), ()),
        (agreement(PROVIDER, programme_ids=frozenset({UUID(int=7)})), ()),
        (agreement(HUB, mechanism_ids=EDO_MECHANISM), (HUB_EDO,)),
    ],
)
def test_an_agreement_on_the_first_leg_makes_a_service_referable(
    agreed: Agreement, mechanisms: tuple[Mechanism, ...]
) -> None:
    assert obstacles(service(programme_id=UUID(int=7)), agreed, mechanisms=mechanisms) == ()


def test_a_hub_that_only_named_itself_neither_blocks_nor_opens_a_way() -> None:
    assert obstacles(service(), WITH_PROVIDER, mechanisms=(HUB_EDO,)) == ()
    assert obstacles(service(), mechanisms=(HUB_EDO,)) == ("no_agreement",)


@pytest.mark.parametrize(
    "agreed",
    [
        agreement(HUB, service_ids=SERVICE),
        agreement(HUB, programme_ids=frozenset({UUID(int=7)})),
        agreement(HUB, mechanism_ids=frozenset({UUID(int=51)})),
        agreement(UUID(int=4000), mechanism_ids=EDO_MECHANISM),
    ],
)
def test_an_agreement_that_does_not_name_the_mechanism_or_its_organisation_makes_no_hub(agreed: Agreement) -> None:
    assert obstacles(service(programme_id=UUID(int=7)), agreed, mechanisms=(HUB_EDO,)) == ("no_agreement",)
    assert obstacles(service(programme_id=UUID(int=7)), agreed, WITH_PROVIDER, mechanisms=(HUB_EDO,)) == ()


def test_a_mechanism_of_the_provider_itself_is_a_way_to_it() -> None:
    own = Mechanism(mechanism_id=UUID(int=50), organization_id=PROVIDER)
    assert obstacles(service(), agreement(PROVIDER, mechanism_ids=EDO_MECHANISM), mechanisms=(own,)) == ()
    assert obstacles(service(), agreement(UUID(int=4000), mechanism_ids=EDO_MECHANISM), mechanisms=(own,)) == (
        "no_agreement",
    )


@pytest.mark.parametrize("hub", [SENDER, PROVIDER])
def test_a_hub_that_is_the_sender_or_the_provider_is_no_stop(hub: UUID) -> None:
    own_hub = Mechanism(mechanism_id=UUID(int=50), organization_id=hub, covered_areas=(EDO,))
    assert obstacles(service(), WITH_PROVIDER, mechanisms=(own_hub,)) == ()


@pytest.mark.parametrize(
    "agreed",
    [
        agreement(PROVIDER, service_ids=frozenset({UUID(int=2)})),
        agreement(PROVIDER, programme_ids=frozenset({UUID(int=8)})),
        agreement(UUID(int=4000), service_ids=SERVICE),
        agreement(PROVIDER),
    ],
)
def test_an_agreement_with_others_or_about_others_does_not(agreed: Agreement) -> None:
    assert obstacles(service(programme_id=UUID(int=7)), agreed) == ("no_agreement",)


def test_a_mechanism_for_another_area_or_need_is_no_way() -> None:
    by_hub = agreement(HUB, mechanism_ids=frozenset({UUID(int=50)}))
    elsewhere = Mechanism(mechanism_id=UUID(int=50), organization_id=HUB, covered_areas=(LAGOS,))
    for_health = Mechanism(mechanism_id=UUID(int=50), organization_id=HUB, needs=frozenset({"health"}))
    for_economy = Mechanism(mechanism_id=UUID(int=50), organization_id=HUB, needs=frozenset({"economic"}))
    assert obstacles(service(), by_hub, mechanisms=(elsewhere,)) == ("no_agreement",)
    assert obstacles(service(), by_hub, mechanisms=(for_health,)) == ("no_agreement",)
    assert obstacles(service(), by_hub, mechanisms=(for_economy,)) == ()


def test_a_public_service_open_to_all_needs_no_agreement_where_a_procedure_is_named() -> None:
    named = Mechanism(mechanism_id=UUID(int=50), organization_id=HUB, has_procedure=True)
    assert obstacles(service(open_to_all=True, public=True), mechanisms=(named,)) == ()
    assert obstacles(service(open_to_all=True, public=True), mechanisms=(HUB_EDO,)) == ("no_agreement",)
    assert obstacles(service(open_to_all=True), mechanisms=(named,)) == ("no_agreement",)
    assert obstacles(service(public=True), mechanisms=(named,)) == ("no_agreement",)


def test_a_service_of_ones_own_is_no_referral() -> None:
    assert obstacles(service(organization_id=SENDER)) == ("own_service",)


@pytest.mark.parametrize(
    ("places", "blocked"),
    [
        ({"free": None}, False),
        ({"free": 1, "set_aside": 1}, False),
        ({"free": 0, "set_aside": 1}, True),
        ({"free": 1, "set_aside": 1, "queued": 1}, True),  # it goes to the queue, never to a newcomer
    ],
)
def test_a_place_is_free_or_not_counted(places: dict[str, Any], blocked: bool) -> None:
    assert ("no_place" in obstacles(service(**places), WITH_PROVIDER)) is blocked


@pytest.mark.parametrize(("days", "blocked"), [(0, False), (180, False), (181, True)])
def test_a_service_that_nobody_confirmed_for_180_days_is_stale(days: int, blocked: bool) -> None:
    confirmed = service(confirmed_on=TODAY - timedelta(days=days))
    assert ("stale" in obstacles(confirmed, WITH_PROVIDER)) is blocked


@pytest.mark.parametrize(("days", "blocked"), [(30, False), (31, True)])
def test_where_the_registry_names_the_day_of_review_that_day_counts(days: int, blocked: bool) -> None:
    confirmed_on = TODAY - timedelta(days=days)
    confirmed = service(confirmed_on=confirmed_on, review_by=confirmed_on + timedelta(days=30))
    assert ("stale" in obstacles(confirmed, WITH_PROVIDER)) is blocked


def test_a_programme_that_has_ended_stands_in_the_way() -> None:
    assert obstacles(service(programme_ends_on=TODAY), WITH_PROVIDER) == ()
    assert obstacles(service(programme_ends_on=TODAY - timedelta(days=1)), WITH_PROVIDER) == ("programme_ended",)
    assert obstacles(service(programme_closed=True), WITH_PROVIDER) == ("programme_ended",)


@pytest.mark.parametrize(
    ("covered", "area", "expected"),
    [
        ((EDO,), EDO, Coverage.INSIDE),
        ((EDO,), BENIN_CITY, Coverage.INSIDE),
        ((EDO,), LAGOS, Coverage.OUTSIDE),
        ((BENIN_CITY,), EDO, Coverage.UNKNOWN),
        ((LAGOS, "NG"), EDO, Coverage.INSIDE),
        ((), EDO, Coverage.OUTSIDE),
        ((EDO,), None, Coverage.UNKNOWN),
    ],
)
def test_areas_nest_by_their_codes(covered: tuple[str, ...], area: str | None, expected: Coverage) -> None:
    assert coverage(covered, area) is expected
