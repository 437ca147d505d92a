import pytest

from services.registry.mechanisms.domain import MechanismCycle, require_no_cycle
from shared.ids import new_id

A, B, C = new_id(), new_id(), new_id()


def test_a_chain_is_no_circle() -> None:
    require_no_cycle(None, C, {A: None, B: A, C: B})
    require_no_cycle(C, B, {A: None, B: A, C: None})


@pytest.mark.parametrize(
    ("mechanism", "parent", "parents"),
    [(A, A, {A: None}), (A, C, {A: None, B: A, C: B}), (C, A, {A: B, B: A, C: None})],
)
def test_a_mechanism_never_hangs_below_itself(mechanism: object, parent: object, parents: dict[object, object]) -> None:
    with pytest.raises(MechanismCycle):
        require_no_cycle(mechanism, parent, parents)  # type: ignore[arg-type]
