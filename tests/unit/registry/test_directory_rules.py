import pytest

from services.registry.directory.domain import (
    MOVES,
    SERVICE_MUST_SAY,
    Action,
    NotPublishable,
    State,
    decide,
    require_said,
)
from shared.errors import TransitionNotAllowed

INTO = {
    (State.LEAD, Action.EDIT): State.LEAD,
    (State.LEAD, Action.PUBLISH): State.PUBLISHED,
    (State.LEAD, Action.RETIRE): State.RETIRED,
    (State.DRAFT, Action.EDIT): State.DRAFT,
    (State.DRAFT, Action.PUBLISH): State.PUBLISHED,
    (State.DRAFT, Action.RETIRE): State.RETIRED,
    (State.PUBLISHED, Action.EDIT): State.PUBLISHED,
    (State.PUBLISHED, Action.CONFIRM): State.PUBLISHED,
    (State.PUBLISHED, Action.RETIRE): State.RETIRED,
}
WHOLE = {
    "organization_confirmed": True,
    "type": "housing",
    "dimension": "social",
    "level": "individual",
    "areas": ["NG"],
    "places_stated": True,
    "contacts": [],
    "found_by_import": False,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_every_cell_of_the_life_of_an_entry(state: State, action: Action) -> None:
    if (state, action) in INTO:
        assert decide(state, action) is INTO[state, action]
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        decide(state, action)
    assert refused.value.extensions["current"] == state
    assert refused.value.extensions["allowed"] == [each for each in Action if state in MOVES[each].out_of]


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"organization_confirmed": False}, ["organization"]),
        ({"areas": [], "places_stated": False}, ["areas", "places"]),
        ({"found_by_import": True}, ["contacts"]),
        ({"found_by_import": True, "contacts": [{"email": "desk@example.org"}]}, []),
        ({"type": None, "dimension": None, "level": None}, ["type", "dimension", "level"]),
    ],
)
def test_what_publishing_asks_for(changed: dict[str, object], missing: list[str]) -> None:
    if not missing:
        require_said(SERVICE_MUST_SAY, WHOLE | changed)
        return
    with pytest.raises(NotPublishable) as refused:
        require_said(SERVICE_MUST_SAY, WHOLE | changed)
    assert refused.value.extensions["missing"] == missing
