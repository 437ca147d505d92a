"""What holds for an import: its formats, its states, and how it counts."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import Problem

MAX_FILE = 64 * 1024 * 1024
"""Bytes of one file (the project's own limit)."""
SHOWN_ISSUES = 2_000
"""Issues that stand in the answer itself; all of them are paged under `…/issues`."""


class Format(StrEnum):
    THREEW = "threew"
    AREAS = "areas"
    IATI = "iati"
    HSDS = "hsds"


SUPPORTED = (Format.THREEW, Format.AREAS)


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


FINISHED = (Status.DONE, Status.FAILED)


class FormatNotSupported(Problem):
    """Files of this format cannot be imported yet"""

    status = 422


@dataclass
class Tally:
    """How many of each kind an import created, changed and left as they were."""

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)

    def by_kind(self) -> dict[str, dict[str, int]]:
        """Kind → `{created, changed, unchanged}`."""
        kinds = sorted({*self.created, *self.changed, *self.unchanged})
        return {
            kind: {"created": self.created[kind], "changed": self.changed[kind], "unchanged": self.unchanged[kind]}
            for kind in kinds
        }
