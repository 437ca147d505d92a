"""A real spreadsheet: who does what where in Ethiopia, and one line of it that becomes a service somebody gets."""

from pathlib import Path
from typing import Any
from uuid import UUID

from relink.demo_data import in_days, organization_id
from relink.demo_issuer import RECEIVER, Client
from relink.partner import Partner, partners_of
from relink.reference_data import reference_data
from relink.running import Running
from relink.story.main_flow import act, arrive, consent, decide, match_case, read
from relink.story.telling import Teller, check, plain
from shared import clock

SPREADSHEET = Path("threew", "3w_august_2025.csv")
AREAS = Path("threew", "download-global-pcodes-adm-1-2.csv")
DAYS = 14
WAIT_SECONDS = 30


async def play(system: Running, teller: Teller) -> None:
    """Where the file is at hand: imported as leads, one lead published, and a returnee referred to it and back."""
    teller.chapter("7. On real input: a spreadsheet of who does what where in Ethiopia")
    folder = reference_data()
    if folder is None:
        teller.says("This chapter is left out: RELINK_REFERENCE_DATA names no folder with the spreadsheet.")
        return
    async with partners_of(system, "registry-manager", "be-return") as (curator, belgium):
        await read_files(curator, folder, teller)
        lead = await choose_lead(curator)
        areas = f"{len(lead['areas'])} area{'s' if len(lead['areas']) > 1 else ''}"
        teller.says(f"One lead is worked on: “{lead['name']}”, in {areas}. A lead is not a service yet.")
        service, owner = await publish_lead(curator, lead)
        system.issuer.take_on(Client("et-provider", UUID(owner["organization_id"]), RECEIVER, "a provider taken on"))
        async with partners_of(system, "et-provider") as (provider,):
            await make_agreements(belgium, provider, service)
            teller.says(
                f"{owner['name']} adds contact, criteria and places; both sides sign; the service is published."
            )
            await refer(system, belgium, provider, service, teller)


async def read_files(curator: Partner, folder: Path, teller: Teller) -> dict[str, Any]:
    """The list of areas, then the spreadsheet; says what the import found and what it could not use."""
    await import_file(curator, folder / AREAS, "areas")
    report = await import_file(curator, folder / SPREADSHEET, "threew")
    teller.says(f"{report['rows']} rows are read, {report['empty_rows']} of them empty.")
    teller.shows(*[f"{plain(kind)}: {count}" for kind, count in report["row_counts"].items()])
    found = ", ".join(f"{plain(kind)} {counts['created']}" for kind, counts in report["by_kind"].items())
    teller.says(f"Found as leads: {found}. {report['issue_count']} issues are listed by row; the first:")
    teller.shows(*[f"row {issue['row']}: {issue['detail']}" for issue in report["issues"][:3]])
    return report


async def import_file(curator: Partner, file: Path, form: str) -> dict[str, Any]:
    accepted = await curator.upload("/registry/v1/imports", file, format=form)
    report = await curator.get(f"/registry/v1/imports/{accepted['import_id']}", wait=WAIT_SECONDS)
    check(report["status"] == "done", f"the import of {form} ended as {report['status']}")
    return report


async def choose_lead(curator: Partner) -> dict[str, Any]:
    """The first lead by name that is about earning a living."""
    leads: list[dict[str, Any]] = []
    page = await curator.get("/registry/v1/services", state="lead", limit=200)
    leads += page["items"]
    while page["next"]:
        page = await curator.get("/registry/v1/services", state="lead", limit=200, after=page["next"])
        leads += page["items"]
    economic = [lead for lead in leads if lead["dimension"] == "economic" and lead["areas"]]
    check(bool(economic), "no lead is about earning a living")
    return min(economic, key=lambda lead: (lead["name"], lead["service_id"]))


async def publish_lead(curator: Partner, lead: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What only a person can add is added: contact, places, criteria; then organisation and service are public."""
    path = f"/registry/v1/organizations/{lead['organization_id']}"
    owner = await curator.get(path)
    country = {"country": owner["country"] or "ET", "kind": owner["kind"] or "ngo"}
    owner = await curator.patch(path, owner, country)
    owner = await curator.act(f"{path}/confirm", owner)
    path = f"/registry/v1/services/{lead['service_id']}"
    added = {
        "contacts": [{"name": "Field office", "email": "desk@example.org"}],
        "places": {"set_aside": 8},
        "level": lead["level"] or "individual",
    }
    service = await curator.patch(path, lead, added)
    service = await curator.act(f"{path}/publish", service)
    path = f"/eligibility/v1/services/{lead['service_id']}/criteria"
    recent = {
        "criterion_id": "recent_return",
        "operation": "months_since",
        "fact": "returned_on",
        "minimum": 0,
        "maximum": 12,
        "text": {"eng": "Returned no more than 12 months ago"},
    }
    criteria = await curator.put(path, {"criteria": [recent], "source": "Agreed with the provider"})
    await curator.act(f"{path}/{criteria['criteria_version']}/validate", criteria)
    return service, owner


async def make_agreements(belgium: Partner, provider: Partner, service: dict[str, Any]) -> None:
    today = clock.today()
    terms = {
        "parties": [{"organization_id": organization_id("be-return")}, {"organization_id": service["organization_id"]}],
        "countries": ["BE", "ET"],
        "covers": {"service_ids": [service["service_id"]]},
        "valid_from": today.isoformat(),
        "valid_until": today.replace(year=today.year + 1, day=1).isoformat(),
    }
    protocol = {"kind": "mou", "title": "Memorandum on referrals", "disclosure": {"fields": ["name"]}}
    instrument = {"article": "46(3)(b)", "reference": "Administrative arrangement"}
    sharing = {"kind": "data_sharing", "title": "Data-sharing arrangement", "transfer_instrument": instrument}
    for agreement in (protocol, sharing):
        drafted = await belgium.post("/registry/v1/agreements", terms | agreement)
        path = f"/registry/v1/agreements/{drafted['agreement_id']}"
        seen = await belgium.act(f"{path}/propose", drafted)
        for party in (belgium, provider):
            seen = await party.act(f"{path}/sign", seen)
        check(seen["state"] == "signed", "the agreement is not in force")


async def refer(
    system: Running, belgium: Partner, provider: Partner, service: dict[str, Any], teller: Teller
) -> dict[str, Any]:
    """A returnee to one of the service's woredas: matched to it, referred to it, helped, and the loop closed."""
    area = service["areas"][0]
    case = await belgium.post(
        "/referral/v1/cases",
        {
            "reference": "BXL-4001",
            "country_of_origin": "ET",
            "area": area,
            "return_type": "voluntary",
            "planned_arrival_on": in_days(DAYS),
            "arrival_certainty": "expected",
            "members": [{"sex": "male", "age_band": "25-34"}],
            "identity": {"name": "Abebe Invented"},
        },
    )
    await consent(belgium, case, service["organization_id"])
    match = await match_case(belgium, case, {"returned_on": in_days(DAYS)})
    found = next((each for each in match["results"] if each["service_id"] == service["service_id"]), None)
    check(found is not None and found["verdict"] == "eligible", "he is not matched to the service")
    teller.says(f"A returnee to {area} is matched to it for the day of his arrival, {match['as_of']}.")
    decision = await decide(belgium, match, service["service_id"])
    referral = await belgium.post(
        "/referral/v1/referrals",
        {
            "case_id": case["case_id"],
            "service_id": service["service_id"],
            "need": {"dimension": service["dimension"], "type": service["type"]},
            "decision_id": decision["decision_id"],
            "safety_check": {"safe": True},
        },
    )
    check(len(referral["route"]) == 1, "no mechanism serves the area, yet the way is not straight")
    teller.says("No mechanism serves that area, so the referral goes straight to the provider.")
    await act(provider, referral, "acknowledge_receipt")
    await act(provider, referral, "accept")
    await arrive(system, belgium, case, DAYS)
    await act(provider, referral, "start")
    await act(provider, referral, "complete", outcome="service_delivered")
    await act(belgium, referral, "confirm_receipt", receipt="confirmed")
    await act(belgium, referral, "acknowledge_outcome")
    final = await read(belgium, referral)
    check(final["status"] == "completed" and final["closed_at"] is not None, "the loop is not closed")
    teller.says("He arrives, gets what a line of a spreadsheet said, confirms it, and the loop is closed.")
    return final
