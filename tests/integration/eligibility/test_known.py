"""What was heard: only the newest version counts, in whatever order and however often it comes."""

from itertools import permutations
from typing import Any

import pytest

from services.eligibility.tables import Base
from shared import clock, migrations
from shared.events import Event
from shared.events.referral import CaseErased
from shared.events.registry import (
    AgreementEnded,
    MechanismChanged,
    OrganizationChanged,
    ProgrammeClosed,
    ProgrammePublished,
    ServiceRetired,
)
from shared.ids import new_id
from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import BE, places, published, registered, signed


def _stories() -> dict[str, tuple[str, list[Event], dict[str, Any]]]:
    """Table → three events of one aggregate, and what must be known in the end."""
    service, case, agreement, organization_id = published(), registered(), signed(new_id()), new_id()
    organization: dict[str, Any] = {"organization_id": organization_id, "kind": "ngo", "country": "NG"}
    programme: dict[str, Any] = {
        "programme_id": new_id(),
        "organization_id": organization_id,
        "name": "P",
        "countries": ["NG"],
    }
    mechanism: dict[str, Any] = {
        "mechanism_id": new_id(),
        "organization_id": organization_id,
        "kind": "hub",
        "countries": ["NG"],
    }
    return {
        "known_services": (
            "known_services",
            [
                service,
                published(service.service_id, version=2, name="Sewing"),
                ServiceRetired(**service.model_dump() | {"version": 3, "name": "Weaving"}),
            ],
            {"name": "Weaving", "retired": True},
        ),
        "known_organizations": (
            "known_organizations",
            [OrganizationChanged(version=version, name=f"Name {version}", **organization) for version in (1, 2, 3)],
            {"name": "Name 3"},
        ),
        "known_programmes": (
            "known_programmes",
            [
                ProgrammePublished(version=1, **programme),
                ProgrammePublished(version=2, **programme),
                ProgrammeClosed(version=3, **programme),
            ],
            {"closed": True},
        ),
        "known_agreements": (
            "known_agreements",
            [
                agreement,
                signed(version=2, agreement_id=agreement.agreement_id),
                AgreementEnded(**agreement.model_dump() | {"version": 3, "ended_on": clock.today()}),
            ],
            {"ended_on": clock.today(), "parties": [party.organization_id for party in agreement.parties]},
        ),
        "known_mechanisms": (
            "known_mechanisms",
            [MechanismChanged(version=version, active=version < 3, **mechanism) for version in (1, 2, 3)],
            {"active": False, "has_procedure": False},
        ),
        "known_cases": (
            "known_cases",
            [
                case,
                registered(case.case_id, version=2),
                CaseErased(case_id=case.case_id, version=3, occurred_at=clock.now()),
            ],
            {"erased": True, "owner_id": None, "area": None, "sex": None},
        ),
        "known_places": (
            "known_places",
            [places(service.service_id, free, version) for version, free in ((1, 2), (2, 1), (3, 0))],
            {"free": 0},
        ),
    }


@pytest.mark.parametrize("table", sorted(_stories()))
async def test_late_and_repeated_events_change_nothing(eligibility: Eligibility, table: str) -> None:
    name, events, expected = _stories()[table]
    for order in permutations(events):
        for event in (*order, *order):
            await eligibility.hear(event)
        (row,) = await eligibility.rows(name)
        assert {column: row[column] for column in expected} == expected
        assert row["version"] == 3


async def test_what_is_heard_publishes_nothing(eligibility: Eligibility) -> None:
    await eligibility.hear(published(), registered(owner_id=BE), signed(new_id()))
    assert await eligibility.said() == []


async def test_the_database_is_as_the_models_say(eligibility: Eligibility) -> None:
    assert await migrations.differences(eligibility.runtime.engine, Base.metadata) == []
