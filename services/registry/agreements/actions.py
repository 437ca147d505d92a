"""From draft over signatures to the end: load under lock, decide, say so. What nobody has signed is not said."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import access
from services.registry.agreements import domain, queries
from services.registry.agreements.domain import Action, State
from services.registry.agreements.models import Agreement, AgreementParty
from services.registry.agreements.schemas import AgreementIn
from services.registry.directory import queries as directory
from services.registry.mechanisms import queries as mechanisms
from shared import clock, outbox, timers
from shared.actor import Actor
from shared.errors import Forbidden, Unprocessable, invalid
from shared.events.registry import AgreementEnded, AgreementEnding, AgreementSigned
from shared.http import expect, patched

RUNS_OUT = "agreement_runs_out"
ENDING = {f"agreement_ending_{days}": days for days in domain.ANNOUNCED}
"""Timer → days ahead."""
JSON_COLUMNS = {"covers", "deadlines", "disclosure", "data_roles", "transfer_instrument"}


async def create(session: AsyncSession, actor: Actor, body: AgreementIn) -> Agreement:
    """A draft, by one of its parties or a curator."""
    _require_part(actor, body)
    await _require_known(session, body)
    agreement = Agreement(**_columns(body), parties=_parties(body))
    session.add(agreement)
    await session.flush()
    return agreement


async def edit(
    session: AsyncSession, actor: Actor, agreement_id: UUID, expected: int, patch: dict[str, Any]
) -> Agreement:
    """Edit what is not signed by all yet; the signatures given so far are returned."""
    agreement = await queries.get_agreement(session, actor, agreement_id, for_update=True)
    expect(agreement, expected)
    domain.decide(State(agreement.state), Action.EDIT, _is_party(actor, agreement))
    body = patched(AgreementIn, AgreementIn.model_validate(_as_entered(agreement)), patch)
    _require_part(actor, body)
    await _require_known(session, body)
    for name, value in _columns(body).items():
        setattr(agreement, name, value)
    _replace_parties(agreement, body)
    agreement.touch()
    await session.flush()
    return agreement


async def propose(session: AsyncSession, actor: Actor, agreement_id: UUID, expected: int) -> Agreement:
    """Ready to be signed."""
    agreement = await queries.get_agreement(session, actor, agreement_id, for_update=True)
    expect(agreement, expected)
    agreement.state = domain.decide(State(agreement.state), Action.PROPOSE, _is_party(actor, agreement))
    agreement.touch()
    return agreement


async def sign(session: AsyncSession, actor: Actor, agreement_id: UUID, expected: int) -> Agreement:
    """Sign for the actor's own organisation; the last signature puts the agreement in force."""
    agreement = await queries.get_agreement(session, actor, agreement_id, for_update=True)
    expect(agreement, expected)
    domain.decide(State(agreement.state), Action.SIGN, _is_party(actor, agreement))
    signed = {party.organization_id: party.signed_on for party in agreement.parties}
    today = clock.today()
    agreement.state = domain.after_signature(signed, actor.org_id, agreement.valid_until, today)
    next(party for party in agreement.parties if party.organization_id == actor.org_id).signed_on = today
    agreement.touch()
    if agreement.state == State.SIGNED:
        await _set_timers(session, agreement)
        await outbox.publish(session, AgreementSigned.model_validate(agreement, from_attributes=True))
    return agreement


async def end(session: AsyncSession, actor: Actor, agreement_id: UUID, expected: int) -> Agreement:
    """Ended by a party; what was never signed by all is ended without an event."""
    agreement = await queries.get_agreement(session, actor, agreement_id, for_update=True)
    expect(agreement, expected)
    domain.decide(State(agreement.state), Action.END, _is_party(actor, agreement))
    await timers.clear(session, agreement_id, RUNS_OUT, *ENDING)
    await _end(session, agreement)
    return agreement


async def run_out(session: AsyncSession, agreement_id: UUID) -> None:
    """The day after `valid_until` has come; nothing happens if the agreement is no longer in force or was prolonged."""
    agreement = await queries.find_agreement_for_update(session, agreement_id)
    if agreement is not None and agreement.state == State.SIGNED and agreement.valid_until < clock.today():
        await _end(session, agreement)


async def announce_end(session: AsyncSession, agreement_id: UUID, days: int) -> None:
    """Say that the agreement ends soon, if it is in force and a nearer announcement is not due as well."""
    agreement = await queries.find_agreement_for_update(session, agreement_id)
    if agreement is None or agreement.state != State.SIGNED:
        return
    ends_on = domain.runs_out_at(agreement.valid_until).date()
    days_left = (ends_on - clock.today()).days
    if domain.announces(days, days_left):
        agreement.touch()
        signed = AgreementSigned.model_validate(agreement, from_attributes=True)
        await outbox.publish(session, AgreementEnding(**dict(signed), ends_on=ends_on, days_left=days_left))


async def _set_timers(session: AsyncSession, agreement: Agreement) -> None:
    """For the end of what is in force, and for those of its announcements that still lie ahead."""
    await timers.set(session, RUNS_OUT, agreement.agreement_id, domain.runs_out_at(agreement.valid_until))
    for kind, days in ENDING.items():
        if (at := domain.announced_at(agreement.valid_until, days)) > clock.now():
            await timers.set(session, kind, agreement.agreement_id, at)


async def _end(session: AsyncSession, agreement: Agreement) -> None:
    was_in_force = agreement.state == State.SIGNED
    agreement.state = State.ENDED
    agreement.ended_on = clock.today()
    agreement.touch()
    if was_in_force:
        await outbox.publish(session, AgreementEnded.model_validate(agreement, from_attributes=True))


def _is_party(actor: Actor, agreement: Agreement) -> bool:
    return any(party.organization_id == actor.org_id for party in agreement.parties)


def _require_part(actor: Actor, body: AgreementIn) -> None:
    """Nobody draws up an agreement between others, except a curator."""
    parties = {party.organization_id for party in body.parties}
    if not access.curates(actor, body.countries) and actor.org_id not in parties:
        raise Forbidden("only a party of the agreement, or a curator of the registry, may do this")


def _columns(body: AgreementIn) -> dict[str, Any]:
    plain = body.model_dump(exclude={*JSON_COLUMNS, "parties"})
    return plain | body.model_dump(mode="json", include=JSON_COLUMNS)


def _parties(body: AgreementIn) -> list[AgreementParty]:
    return [AgreementParty(organization_id=each) for each in sorted({each.organization_id for each in body.parties})]


def _replace_parties(agreement: Agreement, body: AgreementIn) -> None:
    """The parties that the body names, none of whom has signed what it says now."""
    kept = {party.organization_id: party for party in agreement.parties}
    agreement.parties = [kept.get(party.organization_id, party) for party in _parties(body)]
    for party in agreement.parties:
        party.signed_on = None


def _as_entered(agreement: Agreement) -> dict[str, Any]:
    """The agreement in the shape in which it is entered."""
    columns = {name: getattr(agreement, name) for name in AgreementIn.model_fields if name != "parties"}
    return columns | {"parties": [{"organization_id": party.organization_id} for party in agreement.parties]}


async def _require_known(session: AsyncSession, body: AgreementIn) -> None:
    """Everything that the agreement names exists, its parties are confirmed, and data roles are those of parties."""
    parties = [party.organization_id for party in body.parties]
    roles = [each.organization_id for each in body.data_roles]
    onward = body.transfer_instrument.onward_organization_ids if body.transfer_instrument else []
    organizations = await directory.find_organizations(session, [*parties, *onward])
    confirmed = {key for key, row in organizations.items() if not row.lead}
    covers = body.covers
    errors = [
        *_unknown("/parties/{}/organization_id", parties, confirmed, "unknown_organization"),
        *_unknown("/data_roles/{}/organization_id", roles, parties, "not_a_party"),
        *_unknown("/transfer_instrument/onward_organization_ids/{}", onward, organizations, "unknown_organization"),
    ]
    for pointer, named, found, code in (
        ("service_ids", covers.service_ids, directory.find_services, "unknown_service"),
        ("programme_ids", covers.programme_ids, directory.find_programmes, "unknown_programme"),
        ("mechanism_ids", covers.mechanism_ids, mechanisms.find_mechanisms, "unknown_mechanism"),
    ):
        if named:
            known: dict[UUID, Any] = await found(session, named)
            errors += _unknown(f"/covers/{pointer}/{{}}", named, known, code)
    if errors:
        raise Unprocessable(errors=errors)


def _unknown(pointer: str, named: list[UUID], known: Iterable[UUID], code: str) -> list[dict[str, str]]:
    found = set(known)
    detail = f"is {code.replace('_', ' ')}"
    return [invalid(pointer.format(index), detail, code) for index, each in enumerate(named) if each not in found]
