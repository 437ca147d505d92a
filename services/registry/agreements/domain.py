"""What holds for an agreement: its kinds, its life from draft to ended, who has signed, when it has run out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, Forbidden, TransitionNotAllowed


class Kind(StrEnum):
    MOU = "mou"
    SOP = "sop"
    DATA_SHARING = "data_sharing"
    GOVERNMENT_TO_GOVERNMENT = "government_to_government"
    REFERRAL_PROTOCOL = "referral_protocol"


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    SIGNED = "signed"
    """Every party has signed: in force from `valid_from` to `valid_until`, both included."""
    ENDED = "ended"


class Action(StrEnum):
    EDIT = "edit"
    PROPOSE = "propose"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Move:
    out_of: frozenset[State]
    into: State
    party_only: bool = False
    """True when a curator who is no party may not do it: nobody signs, or ends, for others."""


MOVES: dict[Action, tuple[Move, ...]] = {
    Action.EDIT: (
        Move(out_of=frozenset({State.DRAFT}), into=State.DRAFT),
        Move(out_of=frozenset({State.PROPOSED}), into=State.PROPOSED),
    ),
    Action.PROPOSE: (Move(out_of=frozenset({State.DRAFT}), into=State.PROPOSED),),
    Action.SIGN: (Move(out_of=frozenset({State.PROPOSED}), into=State.PROPOSED, party_only=True),),
    Action.END: (
        Move(out_of=frozenset({State.DRAFT, State.PROPOSED, State.SIGNED}), into=State.ENDED, party_only=True),
    ),
}
"""The life of an agreement. Editing what is proposed returns the signatures given so far; the last signature makes it
signed; what is signed is not edited: it is ended and another one signed."""


class DataRole(StrEnum):
    """Roles of GDPR Art. 4(7), 26 and 4(8)."""

    CONTROLLER = "controller"
    JOINT_CONTROLLER = "joint_controller"
    PROCESSOR = "processor"


class IdentityField(StrEnum):
    """Fields of identity that an agreement may allow to disclose."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    CONTACTS = "contacts"
    DOCUMENTS = "documents"
    REFERENCE = "reference"
    ADDRESS = "address"
    NOTES = "notes"


def wrong_roles(roles: list[DataRole]) -> str | None:
    """What is wrong with the roles of an agreement's parties, as a code: joint controllers determine together (GDPR
    Art. 26), and a processor works on behalf of a controller (Art. 28)."""
    if roles.count(DataRole.JOINT_CONTROLLER) == 1:
        return "joint_controller_alone"
    if DataRole.PROCESSOR in roles and not {DataRole.CONTROLLER, DataRole.JOINT_CONTROLLER} & set(roles):
        return "processor_without_controller"
    return None


class AlreadySigned(Conflict):
    """This organisation has signed already"""


class AgreementRunOut(Conflict):
    """The agreement's validity has ended; it can no longer be signed"""


def decide(state: State, action: Action, is_party: bool) -> State:
    """The state after the action; raises Forbidden or TransitionNotAllowed, changes nothing."""
    if not is_party and any(move.party_only for move in MOVES[action]):
        raise Forbidden("only a party may do this, for its own organisation")
    for move in MOVES[action]:
        if state in move.out_of:
            return move.into
    allowed = [each.value for each in Action if any(state in move.out_of for move in MOVES[each])]
    raise TransitionNotAllowed(state, allowed)


def after_signature(signed: Mapping[UUID, date | None], organization_id: UUID, valid_until: date, today: date) -> State:
    """The state once this organisation has signed too; `signed` is party → day of its signature.

    Raises AlreadySigned or AgreementRunOut.
    """
    if signed[organization_id] is not None:
        raise AlreadySigned
    if valid_until < today:
        raise AgreementRunOut
    missing = [party for party, signed_on in signed.items() if signed_on is None and party != organization_id]
    return State.PROPOSED if missing else State.SIGNED


ANNOUNCED = (90, 30, 7)
"""So many days ahead the end of an agreement that is in force is announced."""


def announces(days: int, days_left: int) -> bool:
    """Whether the announcement of `days` ahead is made with `days_left`: one that comes late, so that the next is due
    too, leaves it to that one, and after the end nothing is announced."""
    nearer = max((each for each in ANNOUNCED if each < days), default=0)
    return nearer < days_left <= days


def announced_at(valid_until: date, days: int) -> datetime:
    """The moment from which the agreement is in force for `days` days more at most."""
    return runs_out_at(valid_until) - timedelta(days=days)


def runs_out_at(valid_until: date) -> datetime:
    """The first moment at which the agreement is no longer in force: the day after its last, in UTC."""
    return datetime.combine(valid_until + timedelta(days=1), time(), UTC)
