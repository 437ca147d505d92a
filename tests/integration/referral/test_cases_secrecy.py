"""Identity stands nowhere in plain text, reaches nobody but the owner, and is gone after erasure."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from relink.system import System
from services.referral.cases import queries, views
from tests.integration.referral.invented import (
    HUB,
    SECRETS,
    Clients,
    a_consent,
    a_derogation,
    admitted,
    an_assessment,
    identity,
    registered,
)
from tests.support.system import at, problem

CASES = "/referral/v1/cases"


async def everything_stored(system: System) -> str:
    """Every column of every row in the databases of the service, as text; bytes in hexadecimal."""
    runtime = system.runtimes["referral"]
    assert runtime.keys_engine is not None
    rows: list[str] = []
    for engine in (runtime.engine, runtime.keys_engine):
        async with engine.connect() as connection:
            named = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            for name in (await connection.scalars(named)).all():
                rows += (await connection.scalars(text(f'SELECT t::text FROM public."{name}" AS t'))).all()  # noqa: S608 - a name from the catalogue
    return "\n".join(rows)


def told(where: str) -> list[str]:
    """Which of the secrets can be read there, in plain, escaped or in hexadecimal."""
    return [
        name
        for name, secret in SECRETS.items()
        if secret in where or json.dumps(secret)[1:-1] in where or secret.encode().hex() in where
    ]


async def recorded(system: System, client: Clients) -> tuple[str, list[str]]:
    """A case with everything that may be recorded in it, and all the answers to recording it."""
    owner = client("be-return")
    case = await registered(owner)
    case_id: str = case.json()["case_id"]
    answers = [case]
    for kind, body in (("consents", a_consent()), ("derogations", a_derogation()), ("assessments", an_assessment())):
        answers.append(await owner.post(f"{CASES}/{case_id}/{kind}", json=body, headers={"Idempotency-Key": case_id}))
    current = await owner.get(f"{CASES}/{case_id}")
    changes: dict[str, Any] = {"identity": identity(), "reference": SECRETS["reference"]}
    answers.append(await owner.patch(f"{CASES}/{case_id}", json=changes, headers=at(current)))
    assert [each.status_code for each in answers] == [201, 201, 201, 201, 200]
    await admitted(system, case_id, HUB)
    return case_id, [each.text for each in answers]


async def test_identity_is_nowhere_in_plain_text(system: System, client: Clients) -> None:
    _, answers = await recorded(system, client)
    assert told("\n".join(answers)) == []
    assert told(await everything_stored(system)) == []


async def test_who_received_a_referral_reads_no_identity(system: System, client: Clients) -> None:
    case_id, _ = await recorded(system, client)
    owner = await client("be-return").get(f"{CASES}/{case_id}")
    assert set(told(owner.text)) == SECRETS.keys() - {"evidence", "justification", "answer"}
    for path in ("", "/assessments", "/consents", "/derogations"):
        assert told((await client("ng-hub").get(f"{CASES}/{case_id}{path}")).text) == []
    assert told((await client("ng-hub").get(CASES)).text) == []
    assert told((await client("be-return").get(CASES, params={"limit": 200})).text) == []


async def test_only_the_named_fields_are_disclosed(system: System, client: Clients) -> None:
    case_id, _ = await recorded(system, client)
    async with system.runtimes["referral"].sessions() as session:
        case = await queries.get_for_update(session, UUID(case_id))
        returnee, child = case.members
        assert await views.identity_for(session, case, {"name", "reference"}) == {
            "reference": SECRETS["reference"],
            "name": SECRETS["name"],
            "members": [{"member_id": str(child.member_id), "name": SECRETS["child"]}],
        }
        assert await views.identity_for(session, case, {"birth_date"}) == {"birth_date": SECRETS["birth_date"]}
        assert await views.identity_for(session, case, {"name"}, [returnee.member_id]) == {"name": SECRETS["name"]}
        assert await views.identity_for(session, case, {"name"}, [child.member_id]) == {
            "members": [{"member_id": str(child.member_id), "name": SECRETS["child"]}]
        }
        assert await views.identity_for(session, case, set()) == {}


async def test_an_erased_case_can_be_read_by_nobody(system: System, client: Clients) -> None:
    case_id, _ = await recorded(system, client)
    owner = client("be-return")
    consent_id = (await owner.get(f"{CASES}/{case_id}/consents")).json()["items"][0]["consent_id"]
    derogation_id = (await owner.get(f"{CASES}/{case_id}/derogations")).json()["items"][0]["derogation_id"]
    assert told((await owner.get(f"{CASES}/{case_id}/consents/{consent_id}")).text) == ["evidence"]
    assert told((await owner.get(f"{CASES}/{case_id}/derogations/{derogation_id}")).text) == ["justification"]

    current = await owner.get(f"{CASES}/{case_id}")
    erased = await owner.post(f"{CASES}/{case_id}/erase", headers=at(current))
    assert erased.status_code == 200, erased.text
    assert erased.json()["phase"] == "closed"

    after = await owner.get(f"{CASES}/{case_id}")
    assert told(after.text) == []
    assert after.json()["identity"] is None
    assert after.json()["members"][0]["age_band"] == "25-34"
    assert told((await owner.get(f"{CASES}/{case_id}/consents/{consent_id}")).text) == []
    assert told((await owner.get(f"{CASES}/{case_id}/derogations/{derogation_id}")).text) == []
    assert (await owner.get(f"{CASES}/{case_id}/assessments")).json()["items"] == []
    async with system.runtimes["referral"].sessions() as session:
        case = await queries.get_for_update(session, UUID(case_id))
        assert await views.identity_for(session, case, {"name", "reference"}) == {}
        assert case.identity is None
        last = text("SELECT type, data FROM outbox WHERE subject = :case_id ORDER BY seq DESC LIMIT 1")
        said = (await session.execute(last, {"case_id": UUID(case_id)})).one()
    assert said.type == "relink.referral.CaseErased"
    again = await owner.post(f"{CASES}/{case_id}/erase", headers=at(after))
    assert (problem(again)["current"], problem(again)["allowed"]) == ("erased", [])


async def test_without_its_key_a_case_that_could_not_be_marked_as_erased_is_unreadable_too(
    system: System, client: Clients
) -> None:
    case = await registered(client("be-return"))
    case_id = case.json()["case_id"]
    runtime = system.runtimes["referral"]
    async with runtime.sessions() as session:
        await session.info["case keys"].destroy(UUID(case_id))
    assert told((await client("be-return").get(f"{CASES}/{case_id}")).text) == []
    erased = await client("be-return").post(f"{CASES}/{case_id}/erase", headers=at(case))
    assert erased.status_code == 200
