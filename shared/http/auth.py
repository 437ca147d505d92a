"""Access tokens: JWT by RFC 9068, checked against the keys of the issuers that this deployment trusts.

Trust is a file: which issuer, its keys (JWKS, given in the file or at an address), and for which organisations and
countries it may speak. A token of a trusted issuer that speaks for another organisation is no token at all.
"""

import json
import logging
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.actor import Actor
from shared.errors import Forbidden, Unauthenticated

log = logging.getLogger(__name__)

ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
TOKEN_LIMIT = 8192
"""Characters a token may have."""
LEEWAY = 30
"""Seconds by which clocks may differ."""
REFRESH = 60.0
"""Seconds between two look-ups of an issuer's keys, however many unknown key ids are presented."""
REMEMBERED = 10_000
"""Tokens of which a process remembers that they were good."""
REQUIRED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti", "org_id")
ANY = "*"


@dataclass
class Issuer:
    """One authorisation server, and for whom it may speak (`*`: for all)."""

    issuer: str
    organizations: frozenset[str]
    countries: frozenset[str]
    keys: KeySet | None = None
    jwks_uri: str | None = None
    fetched_at: float = -inf

    async def keys_for(self, key_id: str | None) -> KeySet:
        """The issuer's keys, asked for again when it presents an unknown key (it may have rotated)."""
        known = self.keys is not None and any(key.kid == key_id for key in self.keys.keys)
        if not known and self.jwks_uri and time.monotonic() - self.fetched_at > REFRESH:
            self.fetched_at = time.monotonic()
            async with httpx.AsyncClient(timeout=5) as client:
                self.keys = KeySet.import_key_set((await client.get(self.jwks_uri)).raise_for_status().json())
        if self.keys is None:
            raise Unauthenticated("the issuer's keys are not known")
        return self.keys


@dataclass(frozen=True)
class Seen:
    """A token that was good, without the token: a client sends the same one many times, and a signature costs."""

    actor: Actor
    expires_at: float
    issuer: Issuer
    keys: KeySet

    def holds(self) -> bool:
        """It has not expired, and its issuer has not got other keys since."""
        return time.time() < self.expires_at + LEEWAY and self.issuer.keys is self.keys


class Trust:
    """Whose tokens are believed, for which audience."""

    def __init__(self, audience: str, issuers: list[Issuer]) -> None:
        self.audience = audience
        self.issuers = {issuer.issuer: issuer for issuer in issuers}
        self._seen: dict[bytes, Seen] = {}

    @classmethod
    def from_file(cls, path: Path, audience: str) -> "Trust":
        """Read `[{issuer, jwks | jwks_uri, organizations: [..]|"*", countries: [..]|"*"}]`."""
        return cls(audience, [issuer_of(entry) for entry in json.loads(path.read_text())])

    async def actor(self, token: str) -> Actor:
        """Who speaks with `token`; raises Unauthenticated and never says more than which test it failed."""
        digest = sha256(token.encode()).digest()
        if (seen := self._seen.get(digest)) is not None and seen.holds():
            return seen.actor
        try:
            return self._remember(digest, await self._checked(token))
        except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unauthenticated("the token is not valid here") from error
        except httpx.HTTPError as error:
            log.warning("keys of an issuer could not be read: %s", type(error).__name__)
            raise Unauthenticated("the issuer's keys cannot be read") from error

    def _remember(self, digest: bytes, seen: "Seen") -> Actor:
        if len(self._seen) >= REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[digest] = seen
        return seen.actor

    async def _checked(self, token: str) -> "Seen":
        unverified = _peek(token)
        issuer = self.issuers.get(str(unverified["claims"].get("iss")))
        if issuer is None:
            raise Unauthenticated("the issuer is not trusted here")
        keys = await issuer.keys_for(unverified["header"].get("kid"))
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        if str(decoded.header.get("typ", "")).lower() not in ("at+jwt", "application/at+jwt"):
            raise Unauthenticated("not an access token (RFC 9068)")
        claims = decoded.claims
        self._validate(claims)
        org_id, country = UUID(claims["org_id"]), claims.get("country")
        if ANY not in issuer.organizations and str(org_id) not in issuer.organizations:
            raise Unauthenticated("the issuer may not speak for this organisation")
        if country is not None and ANY not in issuer.countries and country not in issuer.countries:
            raise Unauthenticated("the issuer may not speak for this country")
        scopes = frozenset(str(claims.get("scope", "")).split())
        actor = Actor(str(claims["sub"]), str(claims["client_id"]), org_id, scopes, country)
        return Seen(actor, claims["exp"], issuer, keys)

    def _validate(self, claims: dict[str, Any]) -> None:
        if any(name not in claims for name in REQUIRED):
            raise Unauthenticated("a claim is missing")
        now = time.time()  # never business time
        if not claims["iat"] - LEEWAY <= now < claims["exp"] + LEEWAY or claims.get("nbf", 0) - LEEWAY > now:
            raise Unauthenticated("the token has expired or is not valid yet")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self.audience not in audience:
            raise Unauthenticated("the token is for another audience")


def issuer_of(entry: dict[str, Any]) -> Issuer:
    """An entry of the trust file."""
    return Issuer(
        issuer=entry["issuer"],
        organizations=frozenset([entry["organizations"]] if entry["organizations"] == ANY else entry["organizations"]),
        countries=frozenset([entry["countries"]] if entry["countries"] == ANY else entry["countries"]),
        keys=KeySet.import_key_set(entry["jwks"]) if "jwks" in entry else None,
        jwks_uri=entry.get("jwks_uri"),
    )


def _peek(token: str) -> dict[str, Any]:
    """Header and claims before anything is verified: only to find whose key to verify with."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError
    header, claims = (json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    return {"header": dict(header), "claims": dict(claims)}


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token by RFC 9068")


async def authenticate(request: Request, trust: Trust) -> Actor:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token.strip()) <= TOKEN_LIMIT:
        raise Unauthenticated
    return await trust.actor(token.strip())


def permit(actor: Actor, scopes: list[str]) -> None:
    """Every scope the route names must be in the token."""
    if missing := [scope for scope in scopes if not actor.may(scope)]:
        raise Forbidden(needs=missing)


async def _current_actor(request: Request, scopes: SecurityScopes, _: Annotated[Any, Security(_bearer)]) -> Actor:
    actor: Actor = request.state.actor  # the route has authenticated and checked the scopes before anything else
    return actor


def needs(*scopes: str) -> Any:
    """In `Annotated[Actor, needs("cases:write")]`, the type of an endpoint's `actor`: who may call it."""
    return Security(_current_actor, scopes=list(scopes))
