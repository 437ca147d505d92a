"""What a fresh local system knows from the start: an invented corner of Edo State, entered through the API.

Every organisation, programme and service here is invented. Entering it again changes nothing: every POST carries a key
of its own, and a system that holds the last thing entered is left alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from relink.demo_issuer import CLIENTS
from relink.partner import Partner, partners_of
from relink.running import Running
from shared import clock

ORGANIZATIONS = {
    "bootstrap": ("Relink operator", "international_organisation", "BE", "Runs this Relink."),
    "registry-manager": ("Registry desk", "international_organisation", "BE", "Keeps the map of services true."),
    "be-return": ("Return agency of Belgium (demo)", "public_authority", "BE", "Return counselling."),
    "de-return": ("Return agency of Germany (demo)", "public_authority", "DE", "Return counselling."),
    "ng-hub": ("Reintegration desk Benin City", "public_authority", "NG", "Receives referrals for Edo State."),
    "ng-provider": ("Edo Skills Workshop", "ngo", "NG", "Training, start-up kits and counselling."),
    "programme-manager": ("Jobs for Edo programme office", "development_agency", "NG", "A development programme."),
    "evaluator": ("Independent evaluation group", "academic", "BE", "Judges whether it helped."),
    "ops": ("Operations team", "private", "BE", "Keeps the system running."),
}
"""Demo client → name, kind, country, description of its organisation."""

AREAS = (
    {"code": "NG012", "name": "Edo", "level": 1, "parent": "NG", "country": "NG"},
    {"code": "NG012012", "name": "Oredo", "level": 2, "parent": "NG012", "country": "NG"},
    {"code": "NG012002", "name": "Egor", "level": 2, "parent": "NG012", "country": "NG"},
)

ADULT = {
    "criterion_id": "age",
    "operation": "age_between",
    "fact": "born_on",
    "minimum": 18,
    "maximum": 45,
    "text": {"eng": "Between 18 and 45 years old on the day of arrival", "fra": "Avoir entre 18 et 45 ans à l'arrivée"},
    "source": "Programme document, section 3",
}
RECENT = {
    "criterion_id": "recent_return",
    "operation": "months_since",
    "fact": "returned_on",
    "minimum": 0,
    "maximum": 24,
    "text": {"eng": "Returned no more than 24 months ago", "fra": "Être de retour depuis 24 mois au plus"},
}
SETTLED = {
    "criterion_id": "settled",
    "operation": "months_since",
    "fact": "returned_on",
    "minimum": 3,
    "text": {"eng": "Back for at least three months", "fra": "Être de retour depuis au moins trois mois"},
}
WANTS_BUSINESS = {
    "criterion_id": "wants_business",
    "operation": "is_true",
    "fact": "wants_self_employment",
    "text": {"eng": "Wants to work on her or his own account", "fra": "Souhaite travailler à son compte"},
}

SERVICES: dict[str, dict[str, Any]] = {
    "welding": {
        "name": "Welding course with a start-up kit",
        "type": "vocational_training",
        "dimension": "economic",
        "description": "Twelve weeks, weekday mornings, tools to keep.",
        "places": {"set_aside": 12},
        "waiting_days": 14,
        "criteria": [ADULT, RECENT],
    },
    "tailoring": {
        "name": "Tailoring course",
        "type": "vocational_training",
        "dimension": "economic",
        "description": "Eight weeks in a small group.",
        "places": {"set_aside": 1},
        "waiting_days": 30,
        "criteria": [ADULT],
    },
    "grant": {
        "name": "Business start-up grant",
        "type": "business_development",
        "dimension": "economic",
        "description": "Advice and a first investment in kind.",
        "places": {"set_aside": 5},
        "waiting_days": 45,
        "criteria": [ADULT, SETTLED],
    },
    "coaching": {
        "name": "Business coaching",
        "type": "business_development",
        "dimension": "economic",
        "description": "Six meetings with a mentor from the trade.",
        "places": {"set_aside": None},
        "criteria": [WANTS_BUSINESS],
    },
    "counselling": {
        "name": "Counselling for returnees and their families",
        "type": "psychosocial_counselling",
        "dimension": "psychosocial",
        "description": "Confidential, by women or men as one chooses.",
        "places": {"set_aside": None},
        "criteria": [],
    },
}


@dataclass(frozen=True)
class Setting:
    """What was entered, by the names this module uses."""

    programme_id: str
    services: dict[str, str]
    mechanism_id: str
    agreement_id: str
    data_sharing_id: str


async def enter(system: Running) -> None:
    """The demo data are there; entering them again changes nothing."""
    async with partners_of(system, "be-return") as (sender,):
        if any(each["state"] == "signed" for each in (await sender.get("/registry/v1/agreements"))["items"]):
            return
    await enter_setting(system)


async def enter_setting(system: Running) -> Setting:
    """Organisations, one programme with five services, the hub's mechanism and two agreements."""
    names = ("bootstrap", "registry-manager", "programme-manager", "ng-provider", "ng-hub", "be-return", "de-return")
    async with partners_of(system, *names) as (bootstrap, curator, manager, provider, hub, belgium, germany):
        await enter_organizations(bootstrap, curator)
        programme_id = await enter_programme(manager, curator)
        services = {
            name: await enter_service(provider, curator, programme_id, name, entry) for name, entry in SERVICES.items()
        }
        mechanism_id = await enter_mechanism(hub)
        parties = [belgium, germany, hub, provider]
        agreement_id = await sign(parties, "agreement:referrals", referral_agreement(mechanism_id, programme_id))
        data_sharing_id = await sign(parties, "agreement:data", data_sharing(mechanism_id))
    return Setting(programme_id, services, mechanism_id, agreement_id, data_sharing_id)


def organization_id(client_id: str) -> str:
    return str(CLIENTS[client_id].org_id)


async def enter_organizations(bootstrap: Partner, curator: Partner) -> None:
    for client_id, (name, kind, country, description) in ORGANIZATIONS.items():
        body = {"id": organization_id(client_id), "name": name, "kind": kind, "country": country}
        await bootstrap.post(
            "/registry/v1/organizations", body | {"description": description}, key=f"demo:organization:{client_id}"
        )
    for area in AREAS:
        await curator.post("/registry/v1/areas", dict(area), key=f"demo:area:{area['code']}")


async def enter_programme(manager: Partner, curator: Partner) -> str:
    today = clock.today()
    body = {
        "name": "Jobs for Edo",
        "organization_id": organization_id("programme-manager"),
        "countries": ["NG"],
        "areas": ["NG012"],
        "sectors": ["11330", "16020"],
        "starts_on": today.replace(month=1, day=1).isoformat(),
        "ends_on": today.replace(year=today.year + 3, month=12, day=31).isoformat(),
    }
    programme = await manager.post("/registry/v1/programmes", body, key="demo:programme")
    programme_id: str = programme["programme_id"]
    path = f"/registry/v1/programmes/{programme_id}/publish"
    await curator.post(path, expect=200, seen=programme, key="demo:programme:publish")
    return programme_id


async def enter_service(
    provider: Partner, curator: Partner, programme_id: str, name: str, entry: dict[str, Any]
) -> str:
    """A service of the provider: entered by it, published by the registry desk, its criteria validated."""
    body = {field: value for field, value in entry.items() if field != "criteria"} | {
        "organization_id": organization_id("ng-provider"),
        "programme_id": programme_id,
        "level": "individual",
        "areas": ["NG012"],
        "languages": ["eng"],
        "contacts": [{"name": "Front desk", "phone": "+234 000 000 0000"}],
    }
    service = await provider.post("/registry/v1/services", body, key=f"demo:service:{name}")
    service_id: str = service["service_id"]
    await curator.post(
        f"/registry/v1/services/{service_id}/publish", expect=200, seen=service, key=f"demo:service:{name}:publish"
    )
    criteria = await curator.put(
        f"/eligibility/v1/services/{service_id}/criteria",
        {"criteria": entry["criteria"], "source": "Programme document of Jobs for Edo"},
    )
    await curator.post(
        f"/eligibility/v1/services/{service_id}/criteria/{criteria['criteria_version']}/validate",
        {"valid_from": clock.today().replace(month=1, day=1).isoformat()},
        expect=200,
        seen=criteria,
        key=f"demo:criteria:{name}",
    )
    return service_id


async def enter_mechanism(hub: Partner) -> str:
    body = {
        "name": "Reintegration hub for Edo State",
        "kind": "hub",
        "organization_id": organization_id("ng-hub"),
        "countries": ["NG"],
        "areas": ["NG012"],
    }
    mechanism_id: str = (await hub.post("/registry/v1/mechanisms", body, key="demo:mechanism"))["mechanism_id"]
    return mechanism_id


PARTIES = ("be-return", "de-return", "ng-hub", "ng-provider")


def referral_agreement(mechanism_id: str, programme_id: str) -> dict[str, Any]:
    return {
        "kind": "referral_protocol",
        "title": "Referral protocol Edo",
        "covers": {"mechanism_ids": [mechanism_id], "programme_ids": [programme_id]},
        "disclosure": {"fields": ["name", "contacts"], "hub_sees_identity": False},
        **_terms(),
    }


def data_sharing(mechanism_id: str) -> dict[str, Any]:
    instrument = {
        "article": "46(2)(a)",
        "reference": "Administrative arrangement on referrals, annex 2",
        "onward_organization_ids": [organization_id("ng-provider")],
    }
    return {
        "kind": "data_sharing",
        "title": "Data-sharing arrangement Edo",
        "covers": {"mechanism_ids": [mechanism_id]},
        "transfer_instrument": instrument,
        **_terms(),
    }


def _terms() -> dict[str, Any]:
    today = clock.today()
    return {
        "parties": [{"organization_id": organization_id(client_id)} for client_id in PARTIES],
        "countries": ["BE", "DE", "NG"],
        "valid_from": today.replace(month=1, day=1).isoformat(),
        "valid_until": today.replace(year=today.year + 2, month=12, day=31).isoformat(),
    }


async def sign(parties: list[Partner], key: str, body: dict[str, Any]) -> str:
    """The first party drafts and proposes it; it is in force when all have signed."""
    agreement = await parties[0].post("/registry/v1/agreements", body, key=f"demo:{key}")
    path = f"/registry/v1/agreements/{agreement['agreement_id']}"
    await parties[0].post(f"{path}/propose", expect=200, seen=agreement, key=f"demo:{key}:propose")
    for party in parties:
        present = await party.get(path)
        await party.post(f"{path}/sign", expect=200, seen=present, key=f"demo:{key}:sign")
    agreement_id: str = agreement["agreement_id"]
    return agreement_id


def in_days(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()
