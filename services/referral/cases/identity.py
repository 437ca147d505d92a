"""Sealing and opening identity: the only place that knows under which contexts it is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases.models import Assessment, Case, CaseMember
from services.referral.cases.queries import reference_index, returnee_index
from services.referral.cases.schemas import ExternalRef, Identity
from shared.crypto import CaseKeys, Cipher, KeyDestroyed, case_keys


@dataclass
class Opened:
    """The identity of a case, in plain; empty once the case is erased."""

    reference: str | None = None
    external_refs: list[ExternalRef] = field(default_factory=list)
    identity: Identity | None = None
    members: dict[UUID, Identity] = field(default_factory=dict)


def seal_case(
    keys: CaseKeys,
    cipher: Cipher,
    case: Case,
    reference: str,
    external_refs: Sequence[ExternalRef],
    identity: Identity | None,
) -> None:
    case.reference = cipher.seal(reference, _place(case, "reference"))
    case.reference_index = reference_index(keys, case.owner_id, reference)
    refs = [ref.model_dump(mode="json") for ref in external_refs]
    case.external_refs = cipher.seal(refs, _place(case, "external_refs")) if refs else None
    case.identity = _sealed(cipher, identity, _place(case, "identity"))


def index_returnee(keys: CaseKeys, case: Case, of_case: Identity | None, of_first: Identity | None) -> None:
    """Her name and birth date may be told with the case or with the first member; without both there is no index."""
    told_of_her = [each for each in (of_case, of_first) if each is not None]
    name = next((each.name for each in told_of_her if each.name), None)
    born_on = next((each.birth_date for each in told_of_her if each.birth_date), None)
    case.returnee_index = returnee_index(keys, name, born_on) if name and born_on else None


def seal_member(cipher: Cipher, member: CaseMember, identity: Identity | None) -> None:
    member.identity = _sealed(cipher, identity, _of_member(member))


def seal_answers(cipher: Cipher, assessment: Assessment, answers: Any) -> None:
    assessment.answers = cipher.seal(answers, _of_assessment(assessment))


def wipe(case: Case) -> None:
    """Drop what is sealed: without its key it is of no use to anybody."""
    case.reference = case.reference_index = case.returnee_index = case.external_refs = case.identity = None
    for member in case.members:
        member.identity = None


async def open_case(session: AsyncSession, case: Case) -> Opened:
    cipher = await case_cipher(session, case)
    if cipher is None:
        return Opened()
    opened = Opened(identity=_opened(cipher, case.identity, _place(case, "identity")))
    if case.reference is not None:
        opened.reference = cipher.open(case.reference, _place(case, "reference"))
    if case.external_refs is not None:
        refs = cipher.open(case.external_refs, _place(case, "external_refs"))
        opened.external_refs = [ExternalRef.model_validate(ref) for ref in refs]
    for member in case.members:
        if (identity := _opened(cipher, member.identity, _of_member(member))) is not None:
            opened.members[member.member_id] = identity
    return opened


async def open_answers(session: AsyncSession, case: Case, assessment: Assessment) -> Any:
    cipher = await case_cipher(session, case)
    if cipher is None or assessment.answers is None:
        return None
    return cipher.open(assessment.answers, _of_assessment(assessment))


def told(identity: Identity | None) -> dict[str, Any]:
    """The fields that are recorded, as JSON values."""
    return {} if identity is None else identity.model_dump(mode="json", exclude_none=True)


async def case_cipher(session: AsyncSession, case: Case) -> Cipher | None:
    """None once the case is erased: also when its key is already gone and the row does not say so yet."""
    if case.erased_at is not None:
        return None
    try:
        return await case_keys(session).cipher(case.case_id)
    except KeyDestroyed:
        return None


def _sealed(cipher: Cipher, identity: Identity | None, place: str) -> bytes | None:
    recorded = told(identity)
    return cipher.seal(recorded, place) if recorded else None


def _opened(cipher: Cipher, sealed: bytes | None, place: str) -> Identity | None:
    return None if sealed is None else Identity.model_validate(cipher.open(sealed, place))


def _place(case: Case, column: str) -> str:
    return f"cases.{column}:{case.case_id}"


def _of_member(member: CaseMember) -> str:
    return f"case_members.identity:{member.member_id}"


def _of_assessment(assessment: Assessment) -> str:
    return f"assessments.answers:{assessment.assessment_id}"
