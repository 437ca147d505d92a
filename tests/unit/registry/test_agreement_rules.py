from datetime import UTC, date, datetime

import pytest

from services.registry.agreements.domain import (
    Action,
    AgreementRunOut,
    AlreadySigned,
    DataRole,
    State,
    after_signature,
    announced_at,
    announces,
    decide,
    runs_out_at,
    wrong_roles,
)
from shared.errors import Forbidden, TransitionNotAllowed
from shared.ids import new_id

INTO = {
    (State.DRAFT, Action.EDIT): State.DRAFT,
    (State.DRAFT, Action.PROPOSE): State.PROPOSED,
    (State.DRAFT, Action.END): State.ENDED,
    (State.PROPOSED, Action.EDIT): State.PROPOSED,
    (State.PROPOSED, Action.SIGN): State.PROPOSED,
    (State.PROPOSED, Action.END): State.ENDED,
    (State.SIGNED, Action.END): State.ENDED,
}
ONE, OTHER = new_id(), new_id()
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_every_cell_of_the_life_of_an_agreement(state: State, action: Action) -> None:
    if (state, action) in INTO:
        assert decide(state, action, is_party=True) is INTO[state, action]
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        decide(state, action, is_party=True)
    assert refused.value.extensions["allowed"] == [each for each in Action if (state, each) in INTO]


@pytest.mark.parametrize("action", [Action.SIGN, Action.END])
def test_nobody_signs_or_ends_for_others(action: Action) -> None:
    with pytest.raises(Forbidden):
        decide(State.PROPOSED, action, is_party=False)


def test_the_last_signature_puts_it_in_force() -> None:
    assert after_signature({ONE: None, OTHER: None}, ONE, TODAY, TODAY) is State.PROPOSED
    assert after_signature({ONE: TODAY, OTHER: None}, OTHER, TODAY, TODAY) is State.SIGNED


def test_nobody_signs_twice_or_what_has_run_out() -> None:
    with pytest.raises(AlreadySigned):
        after_signature({ONE: TODAY, OTHER: None}, ONE, TODAY, TODAY)
    with pytest.raises(AgreementRunOut):
        after_signature({ONE: None, OTHER: None}, ONE, date(2026, 2, 28), TODAY)


def test_an_agreement_is_in_force_on_its_last_day() -> None:
    assert runs_out_at(date(2026, 12, 31)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_left", "said"), [(91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (1, 7), (0, None), (-3, None)]
)
def test_of_announcements_that_are_due_together_the_nearest_is_made(days_left: int, said: int | None) -> None:
    assert [days for days in (90, 30, 7) if announces(days, days_left)] == ([said] if said else [])


def test_an_announcement_is_due_so_many_days_before_the_first_day_without_the_agreement() -> None:
    assert announced_at(date(2026, 12, 31), 90) == datetime(2026, 10, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        ([], None),
        (["controller"], None),
        (["controller", "controller", "processor"], None),
        (["joint_controller", "joint_controller", "processor"], None),
        (["joint_controller", "controller"], "joint_controller_alone"),
        (["processor", "processor"], "processor_without_controller"),
    ],
)
def test_roles_of_the_parties_go_together(roles: list[str], code: str | None) -> None:
    assert wrong_roles([DataRole(each) for each in roles]) == code
