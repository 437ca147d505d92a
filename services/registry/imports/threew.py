"""Who does what, where: a 3W or 4W spreadsheet as organisations, services and areas. Standard library only.

A service found is organisation × activity over all rows that are on-going or planned, with the areas of those rows. The
spreadsheet names no kind of service as the registry knows it: type, dimension and level are inferred from cluster and
activity by the tables below (the project's own reading, said to be inferred wherever they are shown).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from services.registry.imports.names import acronym_key, name_key
from services.registry.imports.tabular import MAX_ROWS, Issue, Row, Table

COLUMNS: dict[str, tuple[str, ...]] = {
    "status": ("Activity status", "Status", "Project status"),
    "donor_acronym": ("Donor Acronym",),
    "donor_name": ("Donor Name", "Donor"),
    "partner_acronym": ("Program partner Acronym", "Programme partner Acronym"),
    "partner_name": ("Program Partner Name", "Programme Partner Name", "Program partner", "Programme partner"),
    "implementer_acronym": ("Implementing Partner Acronym", "Implementer Acronym"),
    "implementer_name": ("Implementing Partner Name", "Implementing Partner", "Implementer Name", "Implementer"),
    "implementer_type": ("Implementing Partner Type", "Implementer Type", "Organization Type", "Organisation Type"),
    "admin1_name": ("Region", "Admin1", "Admin 1", "State", "Province"),
    "admin2_name": ("Zone", "Admin2", "Admin 2", "District", "LGA"),
    "admin3_name": ("Woreda", "Admin3", "Admin 3"),
    "admin1_code": ("RegionPcod", "Region Pcode", "Admin1 Pcode", "adm1_pcode"),
    "admin2_code": ("ZonePcod", "Zone Pcode", "Admin2 Pcode", "adm2_pcode"),
    "admin3_code": ("WoredaPcod", "Woreda Pcode", "Admin3 Pcode", "adm3_pcode"),
    "cluster": ("Cluster", "Sector"),
    "activity": ("Activity", "Activity name", "Activities"),
}
REQUIRED = (
    ("status",),
    ("implementer_acronym", "implementer_name"),
    ("activity",),
    ("admin3_code", "admin2_code", "admin1_code"),
)
CURRENT = frozenset({"ongoing", "planned"})
"""Folded words of the status column for what is, or will be, there to be received."""
NOT_CURRENT = frozenset({"completed", "suspended", "cancelled", "closed"})

KINDS = {
    "international ngo": "ngo",
    "national ngo": "ngo",
    "ngo": "ngo",
    "un agency": "international_organisation",
    "international organization": "international_organisation",
    "international organisation": "international_organisation",
    "government": "public_authority",
    "academic": "academic",
    "private": "private",
    "private sector": "private",
}
"""Folded word of the type column → kind of organisation."""

CLUSTERS = {
    "health": ("social", "health"),
    "nutrition": ("social", "health"),
    "wash": ("social", "food_and_water"),
    "water sanitation and hygiene": ("social", "food_and_water"),
    "education": ("social", "education"),
    "food security": ("social", "food_and_water"),
    "agriculture": ("economic", "in_kind_assistance"),
    "livelihoods": ("economic", "business_development"),
    "esnfi": ("social", "in_kind_assistance"),
    "shelter": ("social", "housing"),
    "cccm": ("social", "housing"),
}
"""Folded cluster → dimension and type of service."""

ACTIVITY_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\bvocational\b"), "economic", "vocational_training"),
    (re.compile(r"\bincome generating\b"), "economic", "business_development"),
    (re.compile(r"\bpsychosocial\b|\bmhpss\b"), "psychosocial", "psychosocial_counselling"),
    (re.compile(r"\bcivil documentation\b"), "social", "documentation"),
    (re.compile(r"\blegal assistance\b|\bcounselling on hlp\b|\binformation on hlp\b"), "social", "justice"),
    (re.compile(r"\bmulti purpose cash\b|\bcash interventions\b|\bcash for rent\b"), "social", "cash_assistance"),
)
"""Words of an activity that say more than its cluster does → dimension and type; the first that fits."""

COMMUNITY_WORDS = re.compile(r"\b(community|communities|capacity|awareness|monitoring|train)\b")
"""Words of an activity that speak of a place and its people rather than of one person."""

UNMAPPED = ("social", "other")

AREA_CODE = re.compile(r"(?=.*\d)[A-Z0-9]{3,20}|[A-Z]{2,3}")
MAX_NAME = 300

Mention = tuple[str, str]
"""An organisation as a row names it: folded acronym and folded name, either possibly empty."""


@dataclass(slots=True)
class FoundOrganization:
    """An organisation named in the file, under one spelling of acronym and name."""

    acronym: str
    name: str
    first_row: int
    kind: str | None = None

    @property
    def acronym_only(self) -> bool:
        return not self.name or acronym_key(self.name) == acronym_key(self.acronym)


@dataclass(slots=True)
class FoundService:
    """One activity of one implementer, over all its current rows."""

    implementer: Mention
    activity: str
    cluster: str
    first_row: int
    dimension: str
    type: str
    level: str
    areas: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class FoundArea:
    code: str
    level: int
    name: str
    first_row: int


@dataclass(slots=True)
class Findings:
    """What a file holds. `rows` counts all below the header, `statuses` those that are not empty, by folded status."""

    rows: int = 0
    empty_rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    organizations: dict[Mention, FoundOrganization] = field(default_factory=dict)
    services: dict[tuple[Mention, str], FoundService] = field(default_factory=dict)
    areas: dict[str, FoundArea] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def infer(cluster: str, activity: str) -> tuple[str, str, str, bool]:
    """Dimension, type and level read out of cluster and activity, and whether a table named the first two."""
    folded = name_key(activity)
    level = "community" if COMMUNITY_WORDS.search(folded) else "individual"
    for words, dimension, kind in ACTIVITY_WORDS:
        if words.search(folded):
            return dimension, kind, level, True
    mapped = CLUSTERS.get(name_key(cluster))
    return *(mapped or UNMAPPED), level, mapped is not None


def read(file: BinaryIO, mapping: Mapping[str, str] | None = None, max_rows: int = MAX_ROWS) -> Findings:
    """Read the whole file; memory grows with what is found and with the issues, not with the rows.

    Raises Unusable when the file as a whole cannot be used (see `tabular.Table.rows`).
    """
    table = Table(file, COLUMNS, REQUIRED, mapping or {}, max_rows)
    reader = _Reader(table)
    for row in table.rows():
        reader.read(row)
    findings = reader.findings
    findings.rows, findings.empty_rows = table.row_count, table.empty_rows
    findings.issues = sorted([*table.issues, *findings.issues], key=lambda issue: issue.row or 0)
    return findings


class _Reader:
    def __init__(self, table: Table) -> None:
        self.table = table
        self.findings = Findings()

    def read(self, row: Row) -> None:
        status = acronym_key(row["status"])
        self.findings.statuses[status] = self.findings.statuses.get(status, 0) + 1
        implementer = self._organization(row, "implementer")
        if implementer and not row["implementer_name"]:
            detail = "Only an acronym names the implementer."
            self._issue(row, ("implementer_name", "implementer_acronym"), "acronym_only", detail)
        if status in NOT_CURRENT:
            self._issue(row, ("status",), "not_current", "The activity is not current; the row was not used.")
            return
        if status not in CURRENT:
            self._issue(row, ("status",), "unknown_status", "The status is missing or not known; the row was not used.")
            return
        if not self._usable(row, implementer):
            return
        assert implementer is not None  # noqa: S101  # _usable has said so
        for part in ("donor", "partner"):
            self._organization(row, part, keep=True)
        self._organization(row, "implementer", keep=True)
        self._service(row, implementer)

    def _usable(self, row: Row, implementer: Mention | None) -> bool:
        if implementer is None:
            names = ("implementer_name", "implementer_acronym")
            self._issue(row, names, "no_implementer", "The row names no implementer; it was not used.")
        elif not row["activity"]:
            self._issue(row, ("activity",), "no_activity", "The row names no activity; it was not used.")
        elif max(len(row["activity"]), len(row["implementer_name"])) > MAX_NAME:
            detail = f"The activity or the implementer is longer than {MAX_NAME} characters; the row was not used."
            self._issue(row, ("activity",), "too_long", detail)
        else:
            return True
        return False

    def _organization(self, row: Row, part: str, keep: bool = False) -> Mention | None:
        """The organisation that the row names in this part, remembered if `keep`."""
        acronym, name = row[f"{part}_acronym"], row[f"{part}_name"]
        mention = (acronym_key(acronym), name_key(name))
        if mention == ("", ""):
            return None
        if keep and max(len(acronym), len(name)) > MAX_NAME:
            detail = f"The name is longer than {MAX_NAME} characters; it was not used."
            self._issue(row, (f"{part}_name", f"{part}_acronym"), "too_long", detail)
            return None
        if keep:
            found = self.findings.organizations.get(mention)
            if found is None:
                found = FoundOrganization(acronym, name, row.number)
                self.findings.organizations[mention] = found
            if part == "implementer" and found.kind is None:
                found.kind = KINDS.get(name_key(row["implementer_type"]))
        return mention

    def _service(self, row: Row, implementer: Mention) -> None:
        key = (implementer, name_key(row["activity"]))
        found = self.findings.services.get(key)
        if found is None:
            dimension, kind, level, mapped = infer(row["cluster"], row["activity"])
            found = FoundService(implementer, row["activity"], row["cluster"], row.number, dimension, kind, level)
            self.findings.services[key] = found
            if not mapped:
                detail = "No table says what type of service this cluster and activity are; the lead has type “other”."
                self._issue(row, ("cluster",), "unmapped_cluster", detail)
        elif name_key(row["cluster"]) != name_key(found.cluster):
            detail = f"This activity has another cluster in row {found.first_row}, which was used."
            self._issue(row, ("cluster",), "cluster_differs", detail)
        if code := self._area(row):
            found.areas[code] = None

    def _area(self, row: Row) -> str | None:
        """The code of the smallest area that the row names."""
        for level in (3, 2, 1):
            code = row[f"admin{level}_code"].upper()
            if not code:
                continue
            if not AREA_CODE.fullmatch(code):
                self._issue(row, (f"admin{level}_code",), "bad_area_code", "This is no P-code; the area was not used.")
                return None
            if code not in self.findings.areas:
                name = row[f"admin{level}_name"][:MAX_NAME]
                self.findings.areas[code] = FoundArea(code, level, name, row.number)
            return code
        names = ("admin3_code", "admin2_code", "admin1_code")
        self._issue(row, names, "no_area", "The row has no area code; the activity was used without this area.")
        return None

    def _issue(self, row: Row, names: tuple[str, ...], code: str, detail: str) -> None:
        self.findings.issues.append(Issue(row.number, self.table.path(*names), code, detail))
