"""The global list of P-codes, one area a row, as humanitarian data services publish it. Standard library only."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from services.registry.imports.tabular import MAX_ROWS, Issue, Row, Table

COLUMNS: dict[str, tuple[str, ...]] = {
    "location": ("Location",),
    "level": ("Admin Level",),
    "code": ("P-Code", "Pcode"),
    "name": ("Name",),
    "parent": ("Parent P-Code", "Parent Pcode"),
}
REQUIRED = (("location",), ("level",), ("code",), ("name",), ("parent",))
CODE = re.compile(r"[A-Z0-9]{2,20}")
MAX_LEVEL = 5
MAX_NAME = 300


@dataclass(frozen=True, slots=True)
class ListedArea:
    """One row of the list; the parent of level 1 is the country's ISO 3166-1 alpha-2 code."""

    code: str
    level: int
    name: str
    parent: str
    country: str
    row: int


@dataclass(slots=True)
class Listed:
    rows: int = 0
    empty_rows: int = 0
    areas: dict[str, ListedArea] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def read(
    file: BinaryIO,
    country_of: Callable[[str], str | None],
    mapping: Mapping[str, str] | None = None,
    max_rows: int = MAX_ROWS,
) -> Listed:
    """Read the list; `country_of` turns an ISO 3166-1 alpha-3 code into alpha-2, or None.

    Areas come out parents first. Raises Unusable when the file as a whole cannot be used.
    """
    table = Table(file, COLUMNS, REQUIRED, mapping or {}, max_rows)
    listed = Listed()
    for row in table.rows():
        area = _area(row, country_of, table, listed.issues)
        if area is None:
            continue
        if area.code in listed.areas:
            detail = f"The code stands in row {listed.areas[area.code].row} already, which was used."
            listed.issues.append(Issue(row.number, table.path("code"), "duplicate_code", detail))
        else:
            listed.areas[area.code] = area
    listed.rows, listed.empty_rows = table.row_count, table.empty_rows
    listed.issues = sorted([*table.issues, *listed.issues], key=lambda issue: issue.row or 0)
    listed.areas = dict(sorted(listed.areas.items(), key=lambda item: (item[1].level, item[1].row)))
    return listed


def _area(row: Row, country_of: Callable[[str], str | None], table: Table, issues: list[Issue]) -> ListedArea | None:
    def refuse(name: str, code: str, detail: str) -> None:
        issues.append(Issue(row.number, table.path(name), code, f"{detail}; the row was not used."))

    country = country_of(row["location"].upper())
    code, parent = row["code"], row["parent"]
    if country is None:
        refuse("location", "unknown_country", "This is no ISO 3166-1 country code of three letters")
    elif not CODE.fullmatch(code):
        refuse("code", "bad_area_code", "This is no P-code")
    elif not re.fullmatch(rf"[1-{MAX_LEVEL}]", row["level"]):
        refuse("level", "bad_level", f"The level is not between 1 and {MAX_LEVEL}")
    elif not row["name"] or len(row["name"]) > MAX_NAME:
        refuse("name", "no_name", f"The area has no name of at most {MAX_NAME} characters")
    elif parent.upper() == row["location"].upper():
        return ListedArea(code, int(row["level"]), row["name"], country, country, row.number)
    elif not CODE.fullmatch(parent) or parent == code:
        refuse("parent", "bad_area_code", "The parent is no P-code")
    else:
        return ListedArea(code, int(row["level"]), row["name"], parent, country, row.number)
    return None
