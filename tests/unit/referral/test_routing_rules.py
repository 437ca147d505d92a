"""Which way a referral takes."""

from uuid import UUID, uuid4

import pytest

from services.referral.routing.domain import (
    Leg,
    MechanismFacts,
    ServiceFacts,
    check_not_its_own,
    choose_mechanism,
    legs,
)
from shared.errors import Unprocessable

SENDER, HUB, PROVIDER = uuid4(), uuid4(), uuid4()


def service(**changes: object) -> ServiceFacts:
    facts: dict[str, object] = {
        "service_id": uuid4(),
        "organization_id": PROVIDER,
        "programme_id": None,
        "type": "housing",
        "dimension": "social",
        "country": "NG",
        "remote": False,
        "open_to_all": False,
    }
    return ServiceFacts(**(facts | changes))  # type: ignore[arg-type]


def mechanism(organization_id: UUID = HUB, needs: frozenset[str] = frozenset()) -> MechanismFacts:
    return MechanismFacts(uuid4(), organization_id, frozenset({"NG"}), needs, False, "unknown")


def test_the_nearest_mechanism_that_serves_the_need_is_taken() -> None:
    nearest, wider, widest = (
        mechanism(needs=frozenset({"health"})),
        mechanism(needs=frozenset({"social"})),
        mechanism(),
    )
    assert choose_mechanism([nearest, wider, widest], service()) is wider
    assert choose_mechanism([nearest, wider, widest], service(type="health")) is nearest
    assert choose_mechanism([nearest, wider, widest], service(dimension="economic")) is widest


def test_where_none_serves_the_need_it_goes_straight_to_the_provider() -> None:
    assert choose_mechanism([mechanism(needs=frozenset({"health"}))], service()) is None
    assert legs(SENDER, service(), None) == [Leg(PROVIDER, None)]


def test_a_hub_stands_between() -> None:
    hub = mechanism()
    assert legs(SENDER, service(), hub) == [Leg(HUB, hub.mechanism_id), Leg(PROVIDER, hub.mechanism_id)]


@pytest.mark.parametrize("organization_id", [SENDER, PROVIDER])
def test_no_leg_lies_inside_one_organisation(organization_id: UUID) -> None:
    own = mechanism(organization_id)
    assert legs(SENDER, service(), own) == [Leg(PROVIDER, own.mechanism_id)]


def test_a_service_of_ones_own_needs_no_referral() -> None:
    with pytest.raises(Unprocessable):
        check_not_its_own(PROVIDER, service())
    check_not_its_own(SENDER, service())
