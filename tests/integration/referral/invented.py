"""Invented people and their cases, and the ways to register one. Nobody of these names is meant."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from relink.system import System
from services.referral.cases import actions
from shared.ids import new_id

Clients = Callable[[str], httpx.AsyncClient]

SECRETS = {
    "name": "Adaeze Invented-Okoro",
    "birth_date": "1994-03-17",
    "phone": "+2348000000017",
    "passport": "B0000017X",
    "address": "17 Imaginary Close, Benin City",
    "notes": "asks to be called after dusk",
    "child": "Chidi Invented-Okoro",
    "reference": "BE/2026/000017",
    "external": "RIAT-000017",
    "evidence": "signed sheet 17 in cabinet 17",
    "justification": "urgent operation arranged in clinic 17",
    "answer": "has epilepsy since 2017",
}
"""Every text of a case that is identity or free text; each is looked for where it must not be."""


def identity() -> dict[str, Any]:
    return {
        "name": SECRETS["name"],
        "birth_date": SECRETS["birth_date"],
        "contacts": [{"kind": "phone", "value": SECRETS["phone"]}],
        "documents": [{"kind": "passport", "number": SECRETS["passport"], "country": "NG"}],
        "address": SECRETS["address"],
        "notes": SECRETS["notes"],
    }


def a_case(**changes: Any) -> dict[str, Any]:
    """The body of `POST /cases`: a woman and her child who plan to return to Edo State."""
    return {
        "reference": SECRETS["reference"],
        "country_of_origin": "NG",
        "area": "NG012",
        "return_type": "voluntary",
        "planned_departure_on": "2026-06-01",
        "planned_arrival_on": "2026-06-02",
        "arrival_certainty": "expected",
        "origin": "sender",
        "members": [
            {"sex": "female"},
            {"sex": "male", "age_band": "6-11", "identity": {"name": SECRETS["child"]}},
        ],
        "identity": identity(),
        "external_refs": [{"system": "RIAT", "value": SECRETS["external"]}],
    } | changes


def a_consent(**changes: Any) -> dict[str, Any]:
    return {
        "purpose": "assistance",
        "recipients": [{"organization_id": str(new_id())}, {"kind": "ngo"}],
        "fields": ["name", "contacts"],
        "language": "eng",
        "given_on": "2026-01-15",
        "valid_until": "2030-01-15",
        "evidence": SECRETS["evidence"],
    } | changes


def a_derogation(**changes: Any) -> dict[str, Any]:
    return {
        "article": "49(1)(d)",
        "justification": SECRETS["justification"],
        "recipient_id": str(new_id()),
        "valid_until": "2099-12-31",
    } | changes


def an_assessment(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "vulnerability",
        "phase": "pre_departure",
        "answers": {"health": SECRETS["answer"]},
        "result": "vulnerable",
    } | changes


def key() -> dict[str, str]:
    """A new Idempotency-Key."""
    return {"Idempotency-Key": str(new_id())}


def version(number: int) -> dict[str, str]:
    return {"If-Match": f'"{number}"'}


async def registered(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """The answer to a registration that succeeds."""
    response = await client.post("/referral/v1/cases", json=a_case(**changes), headers=key())
    assert response.status_code == 201, response.text
    return response


async def admitted(system: System, case_id: str, organization: int) -> None:
    """As if the demo organisation of this number had got a task on one of the case's referrals."""
    async with system.runtimes["referral"].sessions() as session:
        await actions.admit(session, UUID(case_id), UUID(f"00000000-0000-7000-8000-{organization:012d}"))
        await session.commit()


HUB = 5
"""The number of the demo hub's organisation."""
