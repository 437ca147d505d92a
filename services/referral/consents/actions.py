"""Recording and withdrawing consent, and recording derogations. Only the case owner does either."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import queries as cases
from services.referral.cases.domain import CaseIsClosed
from services.referral.cases.models import Case
from services.referral.consents import domain, queries, sealing
from services.referral.consents.models import Consent, TransferDerogation
from services.referral.consents.schemas import ConsentIn, DerogationIn
from services.referral.known import queries as known
from shared import clock, outbox
from shared.actor import Actor
from shared.crypto import case_keys
from shared.errors import TransitionNotAllowed
from shared.events.referral import ConsentGiven, ConsentWithdrawn
from shared.http import expect
from shared.ids import new_id


async def give(session: AsyncSession, actor: Actor, case_id: UUID, body: ConsentIn) -> Consent:
    """The consent stands in the owner's case; ConsentGiven is said."""
    case = await _open_case(session, actor, case_id)
    domain.check_consent(body.given_on, body.valid_until, clock.today())
    consent = Consent(
        consent_id=new_id(),
        version=1,
        case_id=case.case_id,
        purpose=body.purpose,
        recipient_organization_ids=sorted({each.organization_id for each in body.recipients if each.organization_id}),
        recipient_kinds=sorted({each.kind for each in body.recipients if each.kind}),
        fields=sorted(set(body.fields)),
        language=body.language,
        given_on=body.given_on,
        valid_until=body.valid_until,
        recorded_by=actor.org_id,
    )
    sealing.seal_evidence(await case_keys(session).cipher(case.case_id), consent, body.evidence)
    session.add(consent)
    case.touch()
    await session.flush()
    await outbox.publish(
        session,
        ConsentGiven(
            version=case.version,
            case_id=case.case_id,
            occurred_at=case.changed_at,
            consent_id=consent.consent_id,
            purpose=consent.purpose,
            recipient_organization_ids=consent.recipient_organization_ids,
            recipient_kinds=consent.recipient_kinds,
            fields=consent.fields,
            valid_until=consent.valid_until,
        ),
    )
    return consent


async def withdraw(session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID, expected: int) -> Consent:
    """The consent holds no more, from this day on; ConsentWithdrawn is said, also in a closed case."""
    case = await cases.get_owned_for_update(session, actor, case_id)
    consent = await queries.get(session, case, consent_id)
    expect(consent, expected)
    if consent.withdrawn_at is not None:
        raise TransitionNotAllowed("withdrawn", [])
    consent.withdrawn_at, consent.withdrawn_on = clock.now(), clock.today()
    consent.touch()
    case.touch()
    await session.flush()
    await outbox.publish(
        session,
        ConsentWithdrawn(
            version=case.version, case_id=case.case_id, occurred_at=consent.withdrawn_at, consent_id=consent.consent_id
        ),
    )
    return consent


async def derogate(session: AsyncSession, actor: Actor, case_id: UUID, body: DerogationIn) -> TransferDerogation:
    """Transfers of the owner's case to this recipient may rest on the derogation until its last day."""
    case = await _open_case(session, actor, case_id)
    owner = await known.get_organization(session, case.owner_id)
    domain.check_derogation(body.article, owner.kind if owner else None, body.valid_until, clock.today())
    derogation = TransferDerogation(
        derogation_id=new_id(),
        case_id=case.case_id,
        article=body.article,
        recipient_id=body.recipient_id,
        recorded_on=clock.today(),
        valid_until=body.valid_until,
        recorded_by=actor.org_id,
        recorded_at=clock.now(),
    )
    sealing.seal_justification(await case_keys(session).cipher(case.case_id), derogation, body.justification)
    session.add(derogation)
    await session.flush()
    return derogation


async def _open_case(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    case = await cases.get_owned_for_update(session, actor, case_id)
    if case.is_closed:
        raise CaseIsClosed
    return case
