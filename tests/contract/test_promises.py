"""APIs and events change by addition, and every change is seen in the diff."""

import copy
import json
from typing import Any

import pytest

from tests.contract import additions, descriptions

CURRENT = descriptions.current()
MAKE_THEM = "make promises"


@pytest.mark.parametrize("name", sorted(CURRENT))
def test_what_is_promised_is_what_the_code_says(name: str) -> None:
    said = json.loads(json.dumps(CURRENT[name]))
    assert descriptions.promised(name) == said, f"the description changed: run `{MAKE_THEM}` and read the diff"


def test_events_change_by_addition_only() -> None:
    assert list(additions.broken_events(descriptions.promised("events.json"), CURRENT["events.json"])) == []


@pytest.mark.parametrize("name", sorted(name for name in CURRENT if name.startswith("openapi")))
def test_apis_change_by_addition_only(name: str) -> None:
    assert list(additions.broken_operations(descriptions.promised(name), CURRENT[name])) == []


def test_a_field_that_is_taken_back_is_noticed() -> None:
    changed: dict[str, Any] = copy.deepcopy(CURRENT["events.json"])
    del changed["relink.referral.ReferralCreated"]["data"]["properties"]["decision_id"]
    del changed["relink.registry.AgreementSigned"]
    assert list(additions.broken_events(CURRENT["events.json"], changed)) == [
        "relink.referral.ReferralCreated: data.decision_id is gone",
        "relink.registry.AgreementSigned is gone",
    ]


def test_a_new_demand_on_clients_is_noticed() -> None:
    document = CURRENT["openapi-registry.json"]
    changed = copy.deepcopy(document)
    changed["components"]["schemas"]["OrganizationIn"]["required"].append("website")
    del changed["paths"]["/registry/v1/areas"]
    assert set(additions.broken_operations(document, changed)) == {
        "POST /registry/v1/organizations now demands website",
        "GET /registry/v1/areas is gone",
        "POST /registry/v1/areas is gone",
    }
