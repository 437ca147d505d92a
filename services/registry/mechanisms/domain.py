"""What holds for a mechanism: its kinds, and that mechanisms never hang below themselves."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict


class Kind(StrEnum):
    NATIONAL = "national"
    HUB = "hub"
    LOCAL_DESK = "local_desk"
    SUB = "sub"


class MechanismCycle(Conflict):
    """A mechanism cannot hang below itself"""


def require_no_cycle(mechanism_id: UUID | None, parent_id: UUID | None, parents: Mapping[UUID, UUID | None]) -> None:
    """Raises MechanismCycle if `parent_id` hangs anywhere below `mechanism_id`; `parents` is child → parent."""
    seen = {mechanism_id}
    while parent_id is not None:
        if parent_id in seen:
            raise MechanismCycle
        seen.add(parent_id)
        parent_id = parents.get(parent_id)
