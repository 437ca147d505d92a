"""The referral service alone on a real PostgreSQL, and a small world around it: who exists, who agreed, who returns.

Events of the others go in as they come off the bus; everything else goes over HTTP. `settle` lets the service hear its
own events, so that nothing has to wait for a worker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, update

from services.referral.app import service
from services.referral.tables import Base
from shared import clock
from shared.bus.envelope import to_message
from shared.bus.interface import Message
from shared.events import Event, event_types
from shared.events.eligibility import EligibilityDecided
from shared.events.registry import (
    AgreementSigned,
    Covers,
    Deadlines,
    Disclosure,
    MechanismChanged,
    OrganizationChanged,
    Party,
    ServicePublished,
    TransferInstrument,
)
from shared.ids import new_id
from shared.runtime import Runtime
from shared.worker import Worker
from tests.support.tokens import Issuer

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A day after which neither Belgium nor Nigeria has a holiday for two weeks."""
SENDS = "cases:read cases:write referrals:create referrals:read"
RESPONDS = "cases:read cases:write referrals:read referrals:respond"
NAME, PHONE = "Adaeze Invented-Okoro", "+2348000000017"
WORDS = "she told us why she left"


@dataclass(frozen=True)
class Organization:
    """An organisation and what its client's token says."""

    name: str
    kind: str
    country: str
    scope: str
    organization_id: UUID = field(default_factory=new_id)


class World:
    def __init__(self, runtime: Runtime, issuer: Issuer, http: httpx.AsyncClient) -> None:
        self.runtime = runtime
        self.worker: Worker = service.worker(runtime)
        self.http = http
        self.issuer = issuer
        self._outbox = Base.metadata.tables["outbox"]

    async def request(
        self, who: Organization, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        token = self.issuer.headers(who.name, who.scope, who.organization_id)
        return await self.http.request(method, f"/referral/v1{path}", json=body, headers={**token, **(headers or {})})

    async def get(self, who: Organization, path: str, **query: Any) -> Any:
        """The body of a reading that succeeds."""
        response = await self.request(who, "GET", f"{path}{'?' if query else ''}{httpx.QueryParams(query)}")
        assert response.status_code == 200, response.text
        return response.json()

    async def hear(self, *events: Event) -> None:
        """The service's listeners hear these, the projections first."""
        await self._consume(
            *(
                to_message(
                    f"relink.{event.speaker()}",
                    event_id=new_id(),
                    type_name=event.type_name(),
                    subject=event.subject,
                    key=event.partition_key,
                    version=event.version,
                    occurred_at=clock.now(),
                    traceparent=None,
                    data=event.model_dump_json(),
                )
                for event in events
            )
        )

    async def _consume(self, *messages: Message) -> None:
        for listener in ("projections", "reactions"):
            await self.worker.consumers[listener].consume(list(messages))

    async def settle(self) -> None:
        """Let the service hear what it said itself, and what it says because of that, until there is nothing more."""
        while rows := await self._unheard():
            await self._consume(
                *(
                    to_message(
                        "relink.referral",
                        event_id=row.event_id,
                        type_name=row.type,
                        subject=row.subject,
                        key=row.key,
                        version=row.version,
                        occurred_at=row.occurred_at,
                        traceparent=None,
                        data=row.data,
                    )
                    for row in rows
                )
            )

    async def _unheard(self) -> list[Any]:
        outbox = self._outbox
        async with self.runtime.sessions() as session:
            unheard = select(outbox).where(outbox.c.published_at.is_(None)).order_by(outbox.c.seq)
            rows = list(await session.execute(unheard))
            seqs = [row.seq for row in rows]
            await session.execute(update(outbox).where(outbox.c.seq.in_(seqs)).values(published_at=clock.now()))
            await session.commit()
        parked = await self.rows("parked_events")
        assert not parked, [row["error"] for row in parked]
        return rows

    async def move_to(self, moment: datetime) -> None:
        """It is this moment, and everything that was due by then has happened."""
        clock.move_to(moment)
        await self.worker.run_due_timers()
        failed = [row for row in await self.rows("timers") if row["attempts"]]
        assert not failed, failed
        await self.settle()

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with self.runtime.sessions() as session:
            return [dict(row) for row in (await session.execute(Base.metadata.tables[table].select())).mappings()]

    async def said(self, subject: Any) -> list[Event]:
        """What was said about this referral or service, in order."""
        outbox = self._outbox
        about = outbox.c.subject == UUID(str(subject))
        query = select(outbox.c.type, outbox.c.data).where(about).order_by(outbox.c.seq)
        async with self.runtime.sessions() as session:
            return [event_types()[name].model_validate_json(data) for name, data in await session.execute(query)]

    async def names_said(self, subject: Any) -> list[str]:
        return [type(event).__name__ for event in await self.said(subject)]


class Scene:
    """Organisations, a service, a hub if it is to have one, and agreements: everything in order for a referral."""

    def __init__(self, world: World, *, hub: bool = False) -> None:
        self.world = world
        self.owner = Organization("be", "public_authority", "BE", SENDS)
        self.hub = Organization("hub", "ngo", "NG", RESPONDS)
        self.provider = Organization("provider", "ngo", "NG", RESPONDS)
        self.stranger = Organization("stranger", "ngo", "NG", f"{SENDS} referrals:respond")
        self.mechanism_id = new_id() if hub else None
        self.country = "NG"
        self.area = f"NG{new_id().int % 10**6:06d}"  # of its own, so that no other scene's mechanism serves it
        self.service_id = new_id()
        self.agreement_ids: dict[str, UUID] = {}

    async def set(self, *, places: int | None = None, deadlines: Deadlines | None = None, **changes: Any) -> "Scene":
        """Let all this be heard."""
        organizations = (self.owner, self.hub, self.provider, self.stranger)
        terms = {"deadlines": deadlines or Deadlines()}
        if self.mechanism_id is None:
            ways: list[Event] = [self.agreement("direct", self.owner, self.provider, **terms)]
        else:
            ways = [
                self.mechanism(),
                self.agreement("to hub", self.owner, self.hub, **terms),
                self.agreement("onward", self.hub, self.provider, **terms),
            ]
        await self.world.hear(
            *(self.organization(each) for each in organizations),
            self.service(places=places, **changes),
            *ways,
            self.sharing("sharing", self.owner, self.hub, onward_kinds=["ngo"]),
            self.sharing("sharing directly", self.owner, self.provider),
        )
        return self

    def organization(self, who: Organization) -> OrganizationChanged:
        return OrganizationChanged(
            version=1, organization_id=who.organization_id, name=who.name, kind=who.kind, country=who.country
        )

    async def publish(self, *, version: int = 1, places: int | None = None, **changes: Any) -> None:
        await self.world.hear(self.service(version=version, places=places, **changes))

    def service(self, *, version: int = 1, places: int | None = None, **changes: Any) -> ServicePublished:
        told = {
            "version": version,
            "service_id": self.service_id,
            "organization_id": self.provider.organization_id,
            "name": "Welding course",
            "type": "vocational_training",
            "dimension": "economic",
            "level": "individual",
            "country": "NG",
            "areas": [self.area],
            "covered_areas": [self.area],
            "set_aside": places,
        }
        return ServicePublished.model_validate(told | changes)

    def mechanism(self, **changes: Any) -> MechanismChanged:
        told = {
            "version": 1,
            "mechanism_id": self.mechanism_id,
            "kind": "hub",
            "organization_id": self.hub.organization_id,
            "countries": ["NG"],
            "areas": [self.area],
            "covered_areas": [self.area],
            "development_referral_system": "yes",
        }
        return MechanismChanged.model_validate(told | changes)

    def agreement(self, name: str, *parties: Organization, **changes: Any) -> AgreementSigned:
        self.agreement_ids.setdefault(name, new_id())
        told = {
            "version": 1,
            "agreement_id": self.agreement_ids[name],
            "kind": "sop",
            "parties": [Party(organization_id=each.organization_id, signed_on=date(2026, 1, 1)) for each in parties],
            "covers": Covers(
                service_ids=[self.service_id], mechanism_ids=[] if self.mechanism_id is None else [self.mechanism_id]
            ),
            "countries": ["BE", "NG"],
            "valid_from": date(2026, 1, 1),
            "valid_until": date(2027, 12, 31),
            "disclosure": Disclosure(fields=["name", "contacts"]),
        }
        return AgreementSigned.model_validate(told | changes)

    async def agree(self, name: str, *parties: Organization, **changes: Any) -> None:
        await self.world.hear(self.agreement(name, *parties, **changes))

    def sharing(self, name: str, *parties: Organization, onward_kinds: Sequence[str] = ()) -> AgreementSigned:
        instrument = TransferInstrument(article="46(2)(a)", onward_kinds=list(onward_kinds))
        return self.agreement(name, *parties, kind="data_sharing", covers=Covers(), transfer_instrument=instrument)

    async def case(self, *, consent: bool = True, decision: bool = True, **changes: Any) -> "Returnee":
        """A registered case, with consent and a positive decision unless it is to be without."""
        body = {
            "reference": f"BE/{new_id()}",
            "country_of_origin": "NG",
            "area": self.area,
            "return_type": "voluntary",
            "arrival_certainty": "unknown",
            "members": [{"sex": "female", "age_band": "25-34"}],
            "identity": {"name": NAME, "contacts": [{"kind": "phone", "value": PHONE}], "notes": "a note"},
        }
        registered = await self.world.request(self.owner, "POST", "/cases", body | changes, key())
        assert registered.status_code == 201, registered.text
        returnee = Returnee(self, registered.json()["case_id"])
        if consent:
            await returnee.consents()
        if decision:
            await returnee.decided()
        return returnee


@dataclass
class Returnee:
    """A case in a scene, and what is done with it."""

    scene: Scene
    case_id: str
    decision_id: UUID | None = None

    async def consents(self, *recipients: Organization, fields: str = "name contacts") -> dict[str, Any]:
        named = recipients or (self.scene.hub, self.scene.provider)
        body = {
            "purpose": "assistance",
            "recipients": [{"organization_id": str(each.organization_id)} for each in named],
            "fields": fields.split(),
            "language": "eng",
            "given_on": "2026-01-15",
            "evidence": "signed",
        }
        given = await self.scene.world.request(self.scene.owner, "POST", f"/cases/{self.case_id}/consents", body)
        assert given.status_code == 201, given.text
        consent: dict[str, Any] = given.json()
        return consent

    async def decided(self, outcome: str = "eligible", service_id: UUID | None = None) -> UUID:
        decision_id = new_id()
        await self.scene.world.hear(
            EligibilityDecided.model_validate(
                {
                    "version": 1,
                    "decision_id": decision_id,
                    "match_id": new_id(),
                    "case_id": self.case_id,
                    "service_id": service_id or self.scene.service_id,
                    "outcome": outcome,
                    "organization_id": self.scene.owner.organization_id,
                    "as_of": clock.today(),
                    "decided_at": clock.now(),
                }
            )
        )
        if service_id is None:
            self.decision_id = decision_id
        return decision_id

    async def screened(self, result: str) -> None:
        body = {"kind": "vulnerability", "phase": "pre_departure", "answers": {}, "result": result}
        recorded = await self.scene.world.request(self.scene.owner, "POST", f"/cases/{self.case_id}/assessments", body)
        assert recorded.status_code == 201, recorded.text

    async def does(self, action: str, body: Any = None) -> None:
        """An action of the case, with its present version."""
        path = f"/cases/{self.case_id}"
        version = (await self.scene.world.get(self.scene.owner, path))["version"]
        done = await self.scene.world.request(self.scene.owner, "POST", f"{path}/{action}", body, at(version))
        assert done.status_code == 200, done.text
        await self.scene.world.settle()

    def order(self, **changes: Any) -> dict[str, Any]:
        """The body of `POST /referrals`."""
        return {
            "case_id": self.case_id,
            "service_id": str(self.scene.service_id),
            "need": {"dimension": "economic", "type": "vocational_training"},
            "decision_id": None if self.decision_id is None else str(self.decision_id),
        } | changes

    async def refer(self, **changes: Any) -> httpx.Response:
        """The answer to a referral of this case, whatever it is."""
        return await self.scene.world.request(self.scene.owner, "POST", "/referrals", self.order(**changes), key())

    async def referred(self, **changes: Any) -> "Sent":
        """A referral that was sent."""
        response = await self.refer(**changes)
        assert response.status_code == 201, response.text
        return Sent(self, response.json()["referral_id"])


@dataclass
class Sent:
    """A referral, and what is done with it."""

    returnee: Returnee
    referral_id: str

    @property
    def world(self) -> World:
        return self.returnee.scene.world

    async def seen_by(self, who: Organization) -> dict[str, Any]:
        seen: dict[str, Any] = await self.world.get(who, f"/referrals/{self.referral_id}")
        return seen

    async def now(self) -> dict[str, Any]:
        """As the owner sees it."""
        return await self.seen_by(self.returnee.scene.owner)

    async def try_to(
        self, who: Organization, action: str, body: Any = None, version: int | None = None
    ) -> httpx.Response:
        """The answer to an action, with the present version unless another is given."""
        known = (await self.now())["version"] if version is None else version
        path = f"/referrals/{self.referral_id}/{action}"
        return await self.world.request(who, "POST", path, body, at(known))

    async def does(self, who: Organization, action: str, **body: Any) -> dict[str, Any]:
        """An action that succeeds; what the service says of it is heard by itself."""
        response = await self.try_to(who, action, body or None)
        assert response.status_code == 200, response.text
        await self.world.settle()
        done: dict[str, Any] = response.json()
        return done

    async def refused(self, who: Organization, action: str, body: Any = None) -> dict[str, Any]:
        response = await self.try_to(who, action, body)
        assert response.status_code >= 400, response.text
        problem: dict[str, Any] = response.json()
        return problem

    async def said(self) -> list[str]:
        return await self.world.names_said(self.referral_id)


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(new_id())}


def at(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def because(code: str, text: str | None = None) -> dict[str, Any]:
    return {"reason": {"code": code} | ({} if text is None else {"text": text})}
