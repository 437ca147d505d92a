"""Ids: UUID version 7 (RFC 9562), so that what was made later sorts later."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()
