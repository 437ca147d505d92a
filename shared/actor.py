"""Who is asking: the part of an access token (RFC 9068) that the services act on."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """A client acting for one organisation. Scope allows the function; the organisation allows the object."""

    sub: str
    client_id: str
    org_id: UUID
    scopes: frozenset[str]
    country: str | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes
