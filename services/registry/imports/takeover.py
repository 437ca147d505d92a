"""Taking over what a 3W spreadsheet says: organisations and services as leads, unknown areas as provisional ones.

What is there already is found again and left alone; a lead that nobody has edited follows the file, one that somebody
has edited is never overruled. With `write` false everything is judged and nothing changed.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import actions as area_actions
from services.registry.areas import queries as areas
from services.registry.areas.domain import prefixes
from services.registry.areas.models import Area
from services.registry.directory import queries as directory
from services.registry.directory.domain import State
from services.registry.directory.models import Organization, Service
from services.registry.imports import matching
from services.registry.imports.domain import Tally
from services.registry.imports.names import name_key
from services.registry.imports.tabular import Issue
from services.registry.imports.threew import Findings, FoundService, Mention
from shared.ids import new_id

INFERRED = ("type", "dimension", "level")


@dataclass(slots=True)
class _Wanted:
    """A service as the file has it, all spellings of its implementer put together."""

    organization_id: UUID
    activity_key: str
    found: FoundService
    areas: list[str]

    def said(self) -> dict[str, object]:
        """What the file says of it, in the form in which it is remembered."""
        found = self.found
        return {"areas": self.areas, "type": found.type, "dimension": found.dimension, "level": found.level}


@dataclass
class Takeover:
    """One file, judged against the registry and, if `write`, taken over into it."""

    session: AsyncSession
    write: bool
    tally: Tally
    issues: list[Issue]

    async def run(self, findings: Findings) -> None:
        placed = await self._areas(findings)
        organization_ids = await self._organizations(findings)
        await self._services(self._wanted(findings, organization_ids, placed), placed)

    async def _areas(self, findings: Findings) -> dict[str, str]:
        """Code → country, for every area of the file that is known or could be placed."""
        named = set(findings.areas)
        known = await areas.find_areas(self.session, named | {prefix for code in named for prefix in prefixes(code)})
        listed = {area.country for area in known.values() if area.level == 1 and not area.provisional}
        new: list[Area] = []
        placed = {code: known[code].country for code in named if code in known}
        self.tally.unchanged["areas"] += len(placed)
        for code in sorted(named - placed.keys()):
            found = findings.areas[code]
            area = area_actions.place(code, found.level, found.name, known)
            if area is None:
                detail = "The code names no country; the area was not used."
                self.issues.append(Issue(found.first_row, "area", "unknown_country", detail))
                continue
            new.append(area)
            placed[code] = area.country
            detail = f"{code} is in no list of areas; it is provisional under {area.parent}."
            self.issues.append(Issue(found.first_row, "area", "unknown_area", detail))
            if area.parent == area.country and area.country in listed:
                detail = f"{code} begins like no region of {area.country}; it hangs below the country."
                self.issues.append(Issue(found.first_row, "area", "unknown_region", detail))
        self.tally.created["areas"] += len(new)
        if self.write:
            await area_actions.take_over(self.session, new)
        return placed

    async def _organizations(self, findings: Findings) -> dict[Mention, UUID]:
        """Mention → organisation, new leads among them."""
        known = [
            matching.Known(row.organization_id, row.name, row.acronym or "", row.imported_as)
            for row in await directory.every_organization(self.session)
        ]
        matched = matching.match(findings.organizations, known)
        self.issues += matched.issues
        ids: dict[Mention, UUID] = {}
        for group in matched.groups:
            organization_id = group.known or new_id()
            ids |= dict.fromkeys(group.mentions, organization_id)
            if group.known is not None:
                self.tally.unchanged["organizations"] += 1
                continue
            self.tally.created["organizations"] += 1
            if self.write:
                self.session.add(
                    Organization(
                        organization_id=organization_id,
                        name=group.name,
                        acronym=group.acronym or None,
                        kind=group.kind,
                        lead=True,
                        imported_as=group.key,
                    )
                )
        await self.session.flush()
        return ids

    def _wanted(
        self, findings: Findings, organization_ids: dict[Mention, UUID], placed: dict[str, str]
    ) -> list[_Wanted]:
        """The services by organisation and activity; two spellings of one implementer give one service."""
        gathered: dict[tuple[UUID, str], _Wanted] = {}
        for (mention, activity_key), found in findings.services.items():
            key = (organization_ids[mention], activity_key)
            one = gathered.setdefault(key, _Wanted(*key, found, []))
            one.areas += [code for code in found.areas if code in placed]
        for one in gathered.values():
            country = placed[one.areas[0]] if one.areas else None
            if any(placed[code] != country for code in one.areas):
                detail = f"The activity has areas in several countries; only those in {country} were used."
                self.issues.append(Issue(one.found.first_row, "area", "several_countries", detail))
            one.areas = sorted({code for code in one.areas if placed[code] == country})
        return list(gathered.values())

    async def _services(self, wanted: list[_Wanted], placed: dict[str, str]) -> None:
        held: dict[tuple[UUID, str], Service] = {}
        for row in await directory.services_of(
            self.session, {each.organization_id for each in wanted}, for_update=self.write
        ):
            held.setdefault((row.organization_id, row.imported_as or name_key(row.name)), row)
        for each in wanted:
            service = held.get((each.organization_id, each.activity_key))
            if service is None:
                self._create(each, placed)
            elif service.imported is None:
                detail = "The organisation has entered this service itself; the file was not used for it."
                self._leave(each, "already_listed", detail)
            elif {name: service.imported.get(name) for name in each.said()} == each.said():
                self.tally.unchanged["services"] += 1
            elif service.version != service.imported["version"] or service.state != State.LEAD:
                self._leave(each, "edited_since", "The service was edited since it was imported; it was left as it is.")
            else:
                self._follow(service, each, placed)
        await self.session.flush()

    def _create(self, wanted: _Wanted, placed: dict[str, str]) -> None:
        self.tally.created["services"] += 1
        if self.write:
            self.session.add(
                Service(
                    organization_id=wanted.organization_id,
                    name=wanted.found.activity,
                    state=State.LEAD,
                    inferred=list(INFERRED),
                    imported_as=wanted.activity_key,
                    imported=wanted.said() | {"version": 1},
                    **_columns(wanted, placed),
                )
            )

    def _follow(self, service: Service, wanted: _Wanted, placed: dict[str, str]) -> None:
        self.tally.changed["services"] += 1
        if self.write:
            for name, value in _columns(wanted, placed).items():
                setattr(service, name, value)
            service.touch()
            service.imported = wanted.said() | {"version": service.version}

    def _leave(self, wanted: _Wanted, code: str, detail: str) -> None:
        self.tally.unchanged["services"] += 1
        self.issues.append(Issue(wanted.found.first_row, "activity", code, detail))


def _columns(wanted: _Wanted, placed: dict[str, str]) -> dict[str, object]:
    """The columns of a lead; what its areas cover is worked out when it is edited or published."""
    said = wanted.said()
    return said | {"country": placed[wanted.areas[0]] if wanted.areas else None, "covered_areas": wanted.areas}
