"""Reading a CSV file that people made: encoding, header, delimiter, empty rows, formulas. Standard library only.

Rows count as a spreadsheet shows them: the header is row 1. What cannot be used becomes an `Issue`; what makes the
file as a whole unusable raises `Unusable`. The text of a cell never goes into an issue: row and column say where it is.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_ROWS = 100_000
"""Data rows read from one file, empty ones included (the project's own limit)."""
MAX_CELL = 1_000
_DELIMITERS = (",", ";", "\t", "|")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?%?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u00a0\u200b\u2028\u2029\ufeff]+")

Columns = Mapping[str, tuple[str, ...]]
"""Field → the headers known for it."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something in the file that a person should know: where, as a code, and in words."""

    row: int | None
    path: str
    code: str
    detail: str


class Unusable(Exception):
    """Nothing of this file can be used; `issues` says why."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__(issues[0].code)
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


def clean(text: str) -> str:
    """A cell without control characters, hard spaces and doubled blanks."""
    if not (text.isascii() and text.isprintable()):
        text = _CONTROL.sub(" ", unicodedata.normalize("NFC", text))
    return " ".join(text.split())


def is_formula(text: str) -> bool:
    """True for what a spreadsheet program would compute instead of show."""
    return text[:1] in ("=", "+", "-", "@") and text != "-" and not _NUMBER.fullmatch(text)


@dataclass
class Table:
    """A CSV file seen through named columns; `rows()` goes through it once, filling `issues` and the counts."""

    file: BinaryIO
    columns: Columns
    required: Sequence[tuple[str, ...]]
    """Groups of fields of which at least one must have a column."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Field → header, where the known headers do not do."""
    max_rows: int = MAX_ROWS
    issues: list[Issue] = field(default_factory=list)
    row_count: int = 0
    empty_rows: int = 0
    headers: dict[str, str] = field(default_factory=dict, init=False)
    """Field → the header it was found under."""

    def rows(self) -> Iterator[Row]:
        """Every row that holds anything, in order.

        Raises Unusable: wrong_encoding, no_rows, no_header, missing_column, too_many_rows, unreadable.
        """
        try:
            yield from self._rows()
        except UnicodeDecodeError:
            issue = Issue(None, "", "wrong_encoding", "The file is not UTF-8; save it as “CSV UTF-8”.")
            raise Unusable(issue) from None
        except csv.Error:
            issue = Issue(self.row_count + 2, "", "unreadable", "The file cannot be read as CSV from here.")
            raise Unusable(issue) from None
        if self.row_count == self.empty_rows:
            raise Unusable(Issue(None, "", "no_rows", "The file has no rows below its header."))

    def path(self, *names: str) -> str:
        """The header under which the first of these fields was found."""
        return next((self.headers[name] for name in names if name in self.headers), names[0])

    def _rows(self) -> Iterator[Row]:
        delimiter = max(_DELIMITERS, key=lambda candidate: len(self._recognise(self._header(candidate))))
        header = self._header(delimiter)
        found = self._recognise(header)
        self._check(header, found)
        self.headers = {name: header[index] for name, index in found.items()}
        with closing(self._records(delimiter)) as records:
            next(records)
            yield from self._used(records, header, found)

    def _used(self, records: Iterator[list[str]], header: list[str], found: dict[str, int]) -> Iterator[Row]:
        for number, record in enumerate(records, start=2):
            self.row_count += 1
            if self.row_count > self.max_rows:
                detail = f"The file has more than {self.max_rows} rows; split it."
                raise Unusable(Issue(number, "", "too_many_rows", detail))
            if not any(cell and not cell.isspace() for cell in record):
                self.empty_rows += 1
                continue
            if any(clean(cell) for cell in record[len(header) :]):
                detail = "The row has more cells than the header; they were not used."
                self.issues.append(Issue(number, "", "extra_cells", detail))
            yield Row(number, self._cells(number, record, found))

    def _records(self, delimiter: str) -> Generator[list[str], None, None]:
        """The file from its start; close it, so that the file can be read again."""
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, encoding="utf-8-sig", newline="")
        try:
            yield from csv.reader(text, delimiter=delimiter)
        finally:
            text.detach()

    def _header(self, delimiter: str) -> list[str]:
        with closing(self._records(delimiter)) as records:
            return [clean(cell) for cell in next(records, [])]

    def _recognise(self, header: list[str]) -> dict[str, int]:
        """Field → position of its column: as the mapping says, otherwise by a known header."""
        positions: dict[str, int] = {}
        for index, cell in enumerate(header):
            positions.setdefault(cell.casefold(), index)
        found: dict[str, int] = {}
        for name, known in self.columns.items():
            wanted = (self.mapping[name],) if name in self.mapping else known
            hits = [positions[clean(text).casefold()] for text in wanted if clean(text).casefold() in positions]
            if hits:
                found[name] = hits[0]
        return found

    def _check(self, header: list[str], found: dict[str, int]) -> None:
        if not any(header):
            raise Unusable(Issue(1, "", "no_rows" if not header else "no_header", "The first row is empty."))
        if not found:
            raise Unusable(Issue(1, "", "no_header", "No column of the first row is known; give a mapping."))
        missing = [group for group in self.required if not any(name in found for name in group)]
        if missing:
            raise Unusable(
                *(
                    Issue(1, group[0], "missing_column", f"No column for {' or '.join(group)}; give a mapping.")
                    for group in missing
                )
            )

    def _cells(self, number: int, record: list[str], found: dict[str, int]) -> dict[str, str]:
        cells: dict[str, str] = {}
        for name, index in found.items():
            text = clean(record[index]) if index < len(record) else ""
            if not text:
                continue
            if is_formula(text):
                detail = "The cell holds a formula; it was not used."
                self.issues.append(Issue(number, self.headers[name], "formula", detail))
            elif len(text) > MAX_CELL:
                detail = f"The cell is longer than {MAX_CELL} characters; it was not used."
                self.issues.append(Issue(number, self.headers[name], "too_long", detail))
            else:
                cells[name] = text
        return cells
