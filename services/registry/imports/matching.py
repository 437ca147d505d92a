"""Which of the organisations that a file names are one, which are known already, and which only look alike.

The same: an equal folded name, or an acronym alone where exactly one organisation has it (said as an issue). Everything
else that looks alike stays apart and is reported; a person merges. Standard library only.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.registry.imports.names import acronym_key, alike, blocks, name_key
from services.registry.imports.tabular import Issue
from services.registry.imports.threew import FoundOrganization, Mention


@dataclass(frozen=True, slots=True)
class Known:
    """An organisation that the registry holds: its name, acronym, and the folded name it was imported under."""

    organization_id: UUID
    name: str
    acronym: str
    imported_as: str | None = None


@dataclass(slots=True)
class Group:
    """The mentions that mean one organisation, and the organisation of the registry that it is, if any."""

    key: str
    name: str
    acronym: str
    first_row: int
    acronym_only: bool
    kind: str | None = None
    acronyms: set[str] = field(default_factory=set)
    mentions: list[Mention] = field(default_factory=list)
    known: UUID | None = None

    def add(self, mention: Mention, found: FoundOrganization) -> None:
        self.mentions.append(mention)
        self.first_row = min(self.first_row, found.first_row)
        self.kind = self.kind or found.kind
        self.acronym = self.acronym or found.acronym
        if mention[0]:
            self.acronyms.add(mention[0])


@dataclass(slots=True)
class Matched:
    groups: list[Group]
    issues: list[Issue]

    def of(self) -> dict[Mention, Group]:
        return {mention: group for group in self.groups for mention in group.mentions}


def match(found: dict[Mention, FoundOrganization], known: Sequence[Known]) -> Matched:
    """Gather mentions into groups, tie groups to known organisations, and report what looks alike."""
    issues: list[Issue] = []
    groups = _gather(found, issues)
    _tie(groups, known, issues)
    _report_look_alikes(groups, known, issues)
    return Matched(groups, issues)


def _gather(found: dict[Mention, FoundOrganization], issues: list[Issue]) -> list[Group]:
    groups: dict[str, Group] = {}
    named = [(mention, one) for mention, one in found.items() if not one.acronym_only]
    for mention, one in named:
        _put(groups, mention[1], mention, one)
    by_acronym: dict[str, list[Group]] = defaultdict(list)
    for group in groups.values():
        for acronym in group.acronyms:
            by_acronym[acronym].append(group)
    for mention, one in found.items():
        if not one.acronym_only:
            continue
        key = name_key(one.name or one.acronym)
        candidates = by_acronym[mention[0] or acronym_key(one.name)]
        if key not in groups and len(candidates) == 1:
            candidates[0].add(mention, one)
            row = candidates[0].first_row
            detail = f"Taken for the organisation first named in row {row}, the only one with this acronym."
            issues.append(Issue(one.first_row, "acronym", "matched_by_acronym", detail))
        else:
            _put(groups, key, mention, one)
    return list(groups.values())


def _put(groups: dict[str, Group], key: str, mention: Mention, one: FoundOrganization) -> None:
    if key not in groups:
        groups[key] = Group(key, one.name or one.acronym, one.acronym, one.first_row, one.acronym_only)
    groups[key].add(mention, one)


def _tie(groups: Iterable[Group], known: Sequence[Known], issues: list[Issue]) -> None:
    imported = {one.imported_as: one.organization_id for one in known if one.imported_as}
    by_name, by_acronym = _index(known)
    for group in groups:
        same_name = by_name.get(group.key, [])
        if group.key in imported:
            group.known = imported[group.key]
        elif len(same_name) == 1:
            group.known = same_name[0].organization_id
        elif group.acronym_only and len(same := by_acronym.get(acronym_key(group.key), [])) == 1:
            group.known = same[0].organization_id
            detail = f"Taken for organisation {group.known}, the only one in the registry with this acronym."
            issues.append(Issue(group.first_row, "acronym", "matched_by_acronym", detail))


def _index(known: Sequence[Known]) -> tuple[dict[str, list[Known]], dict[str, list[Known]]]:
    by_name: dict[str, list[Known]] = defaultdict(list)
    by_acronym: dict[str, list[Known]] = defaultdict(list)
    for one in known:
        by_name[name_key(one.name)].append(one)
        if one.acronym:
            by_acronym[acronym_key(one.acronym)].append(one)
    return by_name, by_acronym


def _report_look_alikes(groups: Sequence[Group], known: Sequence[Known], issues: list[Issue]) -> None:
    """One issue for each new group and each organisation, of the file or the registry, that it looks like."""
    places: dict[str, list[tuple[str, frozenset[str], str, Group | None]]] = defaultdict(list)

    def remember(key: str, acronyms: frozenset[str], where: str, group: Group | None) -> None:
        entry = (key, acronyms, where, group)
        for block in {*blocks(key), *(f"={acronym}" for acronym in acronyms)}:
            places[block].append(entry)

    for one in known:
        acronyms = frozenset({acronym_key(one.acronym)} if one.acronym else ())
        remember(name_key(one.name), acronyms, f"organisation {one.organization_id} of the registry", None)
    for group in sorted(groups, key=lambda group: group.first_row):
        acronyms = frozenset(group.acronyms)
        if group.known is None:
            seen: set[str] = set()
            for block in sorted({*blocks(group.key), *(f"={acronym}" for acronym in acronyms)}):
                for key, others, where, _ in places[block]:
                    if where not in seen and (acronyms & others or alike(group.key, key)):
                        seen.add(where)
                        detail = f"Looks like the {where}; both were kept, a person should compare them."
                        issues.append(Issue(group.first_row, "organization", "possible_duplicate", detail))
            remember(group.key, acronyms, f"organisation first named in row {group.first_row}", group)
