"""The people of a case: writing what is told of them, and keeping apart who is who."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from services.referral.cases import domain, identity
from services.referral.cases.models import Case, CaseMember
from services.referral.cases.schemas import CaseChange, Identity, MemberIn
from shared import clock
from shared.crypto import Cipher
from shared.errors import Unprocessable, invalid
from shared.ids import new_id


def check_returnee_once(of_case: Identity | None, of_first: Identity | None) -> None:
    """The returnee's identity may be told with the case or with the first member, but no field of it twice."""
    twice = identity.told(of_case).keys() & identity.told(of_first).keys()
    if twice:
        raise Unprocessable(
            errors=[
                invalid(f"/identity/{name}", "is told with the first member too", "given_twice")
                for name in sorted(twice)
            ]
        )


def fill(
    cipher: Cipher,
    case: Case,
    member: CaseMember,
    position: int,
    told: MemberIn,
    of_case: Identity | None,
    known_birth: date | None,
) -> None:
    """Write what is told of a person. Her age band, where none is told, is that of a birth date that is new."""
    today = clock.today()
    born_on = told.identity.birth_date if told.identity else None
    pointer = f"/members/{position}/identity/birth_date"
    if position == 0 and born_on is None and of_case is not None:
        born_on, pointer = of_case.birth_date, "/identity/birth_date"
    if born_on is not None:
        domain.check_birth(pointer, born_on, today)
    if told.age_band is not None:
        member.age_band = told.age_band
    elif born_on is not None and born_on != known_birth:
        member.age_band = domain.age_band(born_on, today)
    elif not member.age_band:
        member.age_band = "unknown"
    member.sex, member.position = told.sex, position
    if "identity" in told.model_fields_set:
        identity.seal_member(cipher, member, told.identity)
    if member not in case.members:
        case.members.append(member)


def change(cipher: Cipher, case: Case, wanted: CaseChange, opened: identity.Opened) -> Identity | None:
    """Replace the members. The first stays the returnee: the identity of the case is hers and not another's.

    Answers what is told of her as the first member from now on.
    """
    present = {member.member_id: member for member in case.members}
    returnee = case.members[0].member_id
    named = [each.member_id for each in wanted.members]
    named[0] = named[0] or returnee
    _check_named(present.keys(), returnee, named)
    if present.keys() - set(named) and case.open_referrals:
        raise domain.ReferralsOpen(open_referrals=case.open_referrals)
    first = wanted.members[0]
    of_first = first.identity if "identity" in first.model_fields_set else opened.members.get(returnee)
    check_returnee_once(wanted.identity, of_first)
    for gone in present.keys() - set(named):
        case.members.remove(present[gone])
    for position, (member_id, told) in enumerate(zip(named, wanted.members, strict=True)):
        member = present[member_id] if member_id else CaseMember(member_id=new_id())
        before = [opened.members.get(member.member_id), opened.identity if member_id == returnee else None]
        born_on = next((each.birth_date for each in before if each and each.birth_date), None)
        fill(cipher, case, member, position, told, wanted.identity, born_on)
    case.members.sort(key=lambda member: member.position)
    return of_first


def _check_named(present: Collection[UUID], returnee: UUID, named: list[UUID | None]) -> None:
    known_ids = [member_id for member_id in named if member_id is not None]
    if len(known_ids) != len(set(known_ids)) or not set(known_ids) <= set(present):
        raise Unprocessable(
            errors=[invalid("/members", "names a member who is not in this case, or one twice", "unknown_member")]
        )
    if named[0] != returnee:
        raise Unprocessable(errors=[invalid("/members/0", "is not the returnee of this case", "returnee")])
