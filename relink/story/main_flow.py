"""The main flow: from the map of services to the indicator, with one returnee, who is invented."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from relink import demo_data
from relink.demo_data import Setting, in_days, organization_id
from relink.partner import Partner, StepFailed, partners_of
from relink.running import Running
from relink.story.telling import Teller, check, listed, plain
from shared import clock

DAYS_TO_ARRIVAL = 30
NEED = {"dimension": "economic", "type": "vocational_training"}


@dataclass
class Cast:
    """Who takes part."""

    system: Running
    belgium: Partner
    hub: Partner
    provider: Partner
    evaluator: Partner


async def play(system: Running, teller: Teller) -> Setting:
    """Everything is entered, one referral has gone there and back, and monitoring has seen it."""
    teller.chapter("1. What exists in Edo State, and under which agreement")
    setting = await demo_data.enter_setting(system)
    await _show_setting(system, setting, teller)
    async with partners_of(system, "be-return", "ng-hub", "ng-provider", "evaluator") as partners:
        cast = Cast(system, *partners)
        teller.chapter("2. Before the flight: what can she really get, on the day she arrives, and why?")
        await _ask_without_a_case(cast, teller)
        case, decision = await _decide(cast, setting, teller)
        teller.chapter("3. One referral: from the member state to the hub, and on to the provider")
        referral = await _refused_then_sent(cast, setting, case, decision, teller)
        await _through_the_hub(cast, referral, teller)
        teller.chapter("4. After arrival: the service is given, and she says so herself")
        await _delivered(cast, case, referral, teller)
        teller.chapter("5. What monitoring has learned, from events alone")
        await show_monitoring(cast.belgium, cast.evaluator, referral, teller)
    return setting


async def _show_setting(system: Running, setting: Setting, teller: Teller) -> None:
    async with partners_of(system, "be-return") as (belgium,):
        organizations = (await belgium.get("/registry/v1/organizations"))["items"]
        names = {each["organization_id"]: each["name"] for each in organizations}
        teller.says(f"{len(names)} organisations are entered, two return agencies, a hub and a provider among them.")
        programme = await belgium.get(f"/registry/v1/programmes/{setting.programme_id}")
        teller.says(f"The programme “{programme['name']}” carries {len(setting.services)} services in Edo State:")
        for service in (await belgium.get("/registry/v1/services"))["items"]:
            places = service["places"]["set_aside"]
            counted = "places not counted" if places is None else f"places set aside: {places}"
            teller.shows(f"{service['name']} ({plain(service['type'])}; {counted})")
        mechanism = await belgium.get(f"/registry/v1/mechanisms/{setting.mechanism_id}")
        teller.says(f"Referrals to Edo go through the {names[mechanism['organization_id']]}: “{mechanism['name']}”.")
        for agreement_id in (setting.agreement_id, setting.data_sharing_id):
            agreement = await belgium.get(f"/registry/v1/agreements/{agreement_id}")
            check(agreement["state"] == "signed", "an agreement is not in force")
            parties = listed(names[party["organization_id"]] for party in agreement["parties"])
            teller.says(f"“{agreement['title']}” is signed by {parties}, valid until {agreement['valid_until']}.")


def _profile() -> dict[str, Any]:
    today = clock.today()
    return {
        "born_on": today.replace(year=today.year - 29, month=5, day=14).isoformat(),
        "returned_on": in_days(DAYS_TO_ARRIVAL),
        "education_level": "secondary",
    }


async def _ask_without_a_case(cast: Cast, teller: Teller) -> None:
    teller.says("A return counsellor in Belgium asks for a woman of 29 who will arrive in Oredo, without naming her.")
    question = {"country": "NG", "area": "NG012012", "as_of": in_days(DAYS_TO_ARRIVAL), "profile": _profile()}
    match = await cast.belgium.post("/eligibility/v1/matches", question, expect=200)
    check(match["match_id"] is None, "a match without a case was stored")
    _show_match(match, teller)
    teller.says("Nothing of this question was stored.")


def _show_match(match: dict[str, Any], teller: Teller) -> None:
    teller.says(
        f"For {match['as_of']}: {match['evaluated']} services looked at, {match['eligible']} open to her, "
        f"{match['needs_information']} need one more answer, {match['not_eligible']} not."
    )
    check(match["eligible"] + match["needs_information"] + match["not_eligible"] == match["evaluated"], "counts differ")
    signs = {"met": "✓", "not_met": "✗", "unknown": "?"}
    for result in match["results"]:
        if result["verdict"] != "not_eligible":
            can = "can be referred today" if result["referable"] else f"not now: {listed(result['blockers'])}"
            teller.shows(f"{result['rank']}. {result['name']}: {plain(result['verdict'])}, {can}")
            teller.shows(*[f"     {signs[reason['outcome']]} {reason['text']}" for reason in result["reasons"]])
    for miss in match["near_misses"]:
        missing = listed(reason["text"].lower() for reason in miss["missing"])
        teller.says(f"Nearly: {miss['name']}; missing: {missing}; true from {miss['becomes_true_on']}.")
    for asked in match["next_questions"][:1]:
        teller.says(f"The best next question: “{asked['text']}” (its answer settles {asked['decides']}).")
    check(bool(match["near_misses"]) and bool(match["next_questions"]), "no near miss or no question")


async def _decide(cast: Cast, setting: Setting, teller: Teller) -> tuple[dict[str, Any], dict[str, Any]]:
    case = await register(cast.belgium, "BXL-2207", "Osarugue Invented", DAYS_TO_ARRIVAL)
    teller.says("She agrees to be helped, so the counsellor registers her case. Her name is encrypted at once.")
    match = await match_case(cast.belgium, case, _profile() | {"wants_self_employment": False})
    teller.says("The counsellor asks again, now for this case and with the answer, and reads the reasons to her.")
    welding = next((r for r in match["results"] if r["service_id"] == setting.services["welding"]), None)
    check(welding is not None and welding["verdict"] == "eligible", "the welding course is not open to her")
    decision = await decide(cast.belgium, match, setting.services["welding"])
    teller.says("Together they choose the welding course. The system proposed; the counsellor decides, on record.")
    return case, decision


async def register(sender: Partner, reference: str, name: str, days: int) -> dict[str, Any]:
    """A case of one woman who will arrive in Oredo in so many days."""
    return await sender.post(
        "/referral/v1/cases",
        {
            "reference": reference,
            "country_of_origin": "NG",
            "area": "NG012012",
            "return_type": "voluntary",
            "planned_departure_on": in_days(days - 1),
            "planned_arrival_on": in_days(days),
            "arrival_certainty": "fixed",
            "members": [{"sex": "female", "age_band": "25-34"}],
            "identity": {"name": name, "contacts": [{"kind": "phone", "value": "+234 000 000 0001"}]},
        },
    )


async def consent(sender: Partner, case: dict[str, Any], *recipients: str) -> dict[str, Any]:
    """She agrees to be assisted by these organisations, which may know her name and how to reach her."""
    return await sender.post(
        f"/referral/v1/cases/{case['case_id']}/consents",
        {
            "purpose": "assistance",
            "recipients": [{"organization_id": recipient} for recipient in recipients],
            "fields": ["name", "contacts"],
            "language": "eng",
            "given_on": clock.today().isoformat(),
            "evidence": "Signed sheet, kept by the sender",
        },
    )


async def match_case(sender: Partner, case: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    body = {"country": case["country_of_origin"], "case_id": case["case_id"], "profile": profile}
    return await sender.post("/eligibility/v1/matches", body, expect=200)


async def decide(sender: Partner, match: dict[str, Any], service_id: str) -> dict[str, Any]:
    body = {"match_id": match["match_id"], "service_id": service_id, "outcome": "eligible"}
    return await sender.post("/eligibility/v1/decisions", body | {"reasons": [{"code": "criteria_met"}]})


def order(case: dict[str, Any], service_id: str, decision: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What is posted to send a referral."""
    body = {"case_id": case["case_id"], "service_id": service_id, "decision_id": decision["decision_id"]}
    return body | {"need": NEED, "priority": "normal", "safety_check": {"safe": True}} | more


async def _refused_then_sent(
    cast: Cast, setting: Setting, case: dict[str, Any], decision: dict[str, Any], teller: Teller
) -> dict[str, Any]:
    body = order(case, setting.services["welding"], decision)
    refused = await cast.belgium.post("/referral/v1/referrals", body, expect=409)
    check(refused["type"].endswith("consent-missing"), "it was refused for something else")
    teller.says(f"The counsellor sends the referral, and is stopped: “{refused['title']}”. Nothing has left.")
    await consent(cast.belgium, case, organization_id("ng-hub"), organization_id("ng-provider"))
    teller.says("The returnee says who may help her and what they may know: her name and phone number. It is recorded.")
    referral = await cast.belgium.post("/referral/v1/referrals", body)
    check(referral["status"] == "submitted" and referral["place"]["state"] == "held", "it was not sent")
    way = " → ".join(leg["role"] for leg in referral["route"])
    teller.says(f"Now it goes: sent, one place held. Its way: return agency → {way}.")
    teller.shows(*[f"due: {plain(what)} by {when}" for what, when in referral["due"].items() if when])
    return referral


async def read(partner: Partner, referral: dict[str, Any]) -> dict[str, Any]:
    return await partner.get(f"/referral/v1/referrals/{referral['referral_id']}")


async def act(partner: Partner, referral: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    """Read, then act on what was read, as a screen would."""
    path = f"/referral/v1/referrals/{referral['referral_id']}/{action}"
    return await partner.act(path, await read(partner, referral), body)


async def _through_the_hub(cast: Cast, referral: dict[str, Any], teller: Teller) -> None:
    inbox = await cast.hub.get("/referral/v1/referrals", box="inbox")
    check(len(inbox["items"]) == 1, "the hub's inbox does not hold it")
    seen = await read(cast.hub, referral)
    check(seen.get("identity") is None, "the hub sees identity")
    teller.says("The hub finds it in its inbox. It sees the need, the area and the dates, and no name.")
    await act(cast.hub, referral, "acknowledge_receipt")
    await act(cast.hub, referral, "pass_on", to_organization_id=organization_id("ng-provider"))
    teller.says("It acknowledges receipt and passes the referral on to the provider; every rule was checked again.")
    check((await read(cast.provider, referral)).get("identity") is None, "the provider sees identity too early")
    await act(cast.provider, referral, "acknowledge_receipt")
    accepted = await act(cast.provider, referral, "accept")
    check(accepted["status"] == "accepted", "it was not accepted")
    identity = (await read(cast.provider, referral)).get("identity")
    check(identity is not None, "the provider does not see identity")
    teller.says("The provider accepts. From now on, and only now, it sees her name and phone number, and no more.")


async def _delivered(cast: Cast, case: dict[str, Any], referral: dict[str, Any], teller: Teller) -> None:
    try:
        await act(cast.provider, referral, "start")
    except StepFailed:
        teller.says("The provider cannot start yet: her arrival is not confirmed.")
    else:
        raise StepFailed("a service started before the arrival")
    await arrive(cast.system, cast.belgium, case, DAYS_TO_ARRIVAL)
    teller.says(f"{DAYS_TO_ARRIVAL} days later she has arrived, and the return agency confirms it.")
    met = {"contacted_on": clock.today().isoformat(), "channel": "phone", "result": "reached"}
    await act(cast.provider, referral, "record_contact", **met)
    teller.says("The provider calls her: the first contact is recorded.")
    await act(cast.provider, referral, "start")
    await cast.system.move_clock(clock.now() + timedelta(days=84))
    done = await act(cast.provider, referral, "complete", outcome="service_delivered")
    check(done["status"] == "completed" and done["place"]["state"] == "released", "it was not completed")
    teller.says("The course starts, twelve weeks pass, it is delivered. The place is free for somebody else.")
    await act(cast.belgium, referral, "confirm_receipt", receipt="confirmed")
    teller.says("The return agency asks her: she confirms what she got. Delivery is not only the provider's word.")
    closed = await act(cast.belgium, referral, "acknowledge_outcome")
    check(closed["closed_at"] is not None, "the loop is not closed")
    teller.says("The return agency acknowledges the outcome. The loop is closed.")


async def arrive(system: Running, partner: Partner, case: dict[str, Any], days: int) -> None:
    """So many days pass, and the arrival is confirmed."""
    await system.move_clock(clock.now() + timedelta(days=days))
    present = await partner.get(f"/referral/v1/cases/{case['case_id']}")
    path = f"/referral/v1/cases/{case['case_id']}/arrive"
    await partner.act(path, present, {"arrived_on": clock.today().isoformat()})


async def show_monitoring(party: Partner, evaluator: Partner, referral: dict[str, Any], teller: Teller) -> None:
    """The timeline and the indicators as a party sees them; over all, so few people would not be shown."""
    heard = await party.get(f"/monitoring/v1/referrals/{referral['referral_id']}")
    teller.says(f"The timeline of the referral, {len(heard['timeline'])} entries:")
    for entry in heard["timeline"]:
        who = (entry["acted_by"] or {}).get("name") or "the system"
        teller.shows(f"{entry['at'][:10]}  {entry['type']:<20} {who}")
    for indicator in (await party.get("/monitoring/v1/indicators"))["items"]:
        result = await party.get(f"/monitoring/v1/indicators/{indicator['code']}")
        teller.says(f"{result['name']} (referrals sent: {result['referrals']}; {result['source']}):")
        names = {measure["code"]: measure for measure in indicator["measures"]}
        known = [count for count in result["total"] if count["value"] is not None]
        teller.shows(*([_figure(names[count["code"]], count) for count in known] or ["nothing to count yet"]))
    over_all = await evaluator.get("/monitoring/v1/indicators/3-completion-and-drop-out")
    threshold = over_all["small_cells"]["threshold"]
    teller.says(f"The evaluator sees figures over all organisations, but none about fewer than {threshold} referrals.")


def _figure(measure: dict[str, Any], count: dict[str, Any]) -> str:
    """A number never stands without its denominator."""
    if measure["unit"] == "hours":
        return f"{measure['name']}: {count['value']:.1f} hours (of {count['denominator']})"
    return f"{measure['name']}: {count['value']:.0%} ({count['numerator']} of {count['denominator']})"
