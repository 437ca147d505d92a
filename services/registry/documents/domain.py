"""What may be attached: kinds, media types with how their files begin, and how much."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import Conflict, Problem

MAX_FILE = 10 * 1024 * 1024
"""Bytes of one document (the project's own limit)."""
MAX_DOCUMENTS = 50
"""Of one agreement (the project's own limit)."""

ZIP, OOXML, ODF = b"PK\x03\x04", "application/vnd.openxmlformats-officedocument", "application/vnd.oasis.opendocument"
BEGINNINGS: Mapping[str, bytes] = {
    "application/pdf": b"%PDF-",
    f"{OOXML}.wordprocessingml.document": ZIP,
    f"{OOXML}.spreadsheetml.sheet": ZIP,
    f"{ODF}.text": ZIP,
    f"{ODF}.spreadsheet": ZIP,
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
"""Media type → how its files begin. Nothing that a browser would run."""


class Kind(StrEnum):
    AGREEMENT = "agreement"
    """The signed text itself."""
    SOP = "sop"
    ANNEX = "annex"
    AMENDMENT = "amendment"
    MINUTES = "minutes"
    OTHER = "other"


class MediaTypeNotSupported(Problem):
    """Documents of this media type cannot be attached"""

    status = 415


class DocumentAttached(Conflict):
    """This very document is attached already"""


class TooManyDocuments(Conflict):
    """No more documents can be attached to this agreement"""


class AgreementIsSigned(Conflict):
    """What was attached when the agreement was signed stays attached"""


def require_fits(media_type: str | None, content: bytes) -> str:
    """The media type; raises MediaTypeNotSupported unless it is one of ours and the content begins as it should."""
    known = (media_type or "").partition(";")[0].strip().lower()
    if known not in BEGINNINGS or not content.startswith(BEGINNINGS[known]):
        raise MediaTypeNotSupported("or the file is none of its media type", supported=list(BEGINNINGS))
    return known
