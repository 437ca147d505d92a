"""The authorisation server of local mode: access tokens (RFC 9068) for the demo clients, without a secret.

It exists only on loopback. Its key is made at each start: no token outlives the process, and none is good elsewhere.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
LIFETIME = 600
"""Seconds a token is good for, by the machine's clock."""


@dataclass(frozen=True)
class Client:
    """A demo client: for which organisation it speaks, and what it may do."""

    client_id: str
    org_id: UUID
    scopes: str
    part: str
    country: str | None = None


def _demo(number: int) -> UUID:
    """Demo organisations have fixed ids."""
    return UUID(f"00000000-0000-7000-8000-{number:012d}")


CURATOR = "registry:read registry:write registry:publish eligibility:evaluate eligibility:write eligibility:validate"
SENDER = (
    "registry:read registry:write eligibility:evaluate cases:read cases:write referrals:create referrals:read"
    " indicators:read"
)
RECEIVER = "registry:read registry:write eligibility:evaluate cases:read cases:write referrals:read referrals:respond"

CLIENTS = {
    client.client_id: client
    for client in (
        Client("bootstrap", _demo(1), "registry:read registry:write registry:publish ops:health ops:manage",
               "the operator: takes organisations on"),
        Client("registry-manager", _demo(2), CURATOR, "curates the registry"),
        Client("be-return", _demo(3), SENDER, "return counsellors of a member state", "BE"),
        Client("de-return", _demo(4), SENDER, "return counsellors of another member state", "DE"),
        Client("ng-hub", _demo(5), RECEIVER, "a hub in the country of origin", "NG"),
        Client("ng-provider", _demo(6), RECEIVER, "a provider in the country of origin", "NG"),
        Client("programme-manager", _demo(7), CURATOR, "runs programmes and their criteria"),
        Client("evaluator", _demo(8), "indicators:read evaluation:read evaluation:write", "judges independently"),
        Client("ops", _demo(9), "ops:health ops:manage", "keeps the system running"),
    )
}  # fmt: skip
"""What each may do is what its part in the demo needs."""


class TokenRefused(Exception):
    """An OAuth error (RFC 6749, 5.2): `code` is its `error`."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class DemoIssuer:
    """Issues tokens for one origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.issuer = f"{origin}/dev"
        self._clients = dict(CLIENTS)
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)

    def take_on(self, client: Client) -> None:
        """One more client, for an organisation that was taken on while the system runs."""
        self._clients[client.client_id] = client

    def jwks(self) -> dict[str, Any]:
        """The keys with which its tokens are checked (RFC 7517)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def trust(self) -> dict[str, Any]:
        """The entry that makes a deployment believe this start of the issuer."""
        return self._speaks_for_all(jwks=self.jwks())

    def trust_by_address(self) -> dict[str, Any]:
        """The entry that makes a deployment believe whatever start of it answers at its address."""
        return self._speaks_for_all(jwks_uri=f"{self.issuer}/jwks")

    def _speaks_for_all(self, **keys: Any) -> dict[str, Any]:
        return {"issuer": self.issuer, "organizations": "*", "countries": "*"} | keys

    def token(self, client_id: str) -> str:
        """An access token with all scopes of the client's part. Raises TokenRefused for an unknown client."""
        client = self._clients.get(client_id)
        if client is None:
            raise TokenRefused("invalid_client", 401)
        now = int(time.time())  # the machine's time: business time may be moved, tokens never
        claims = {
            "iss": self.issuer,
            "aud": self.origin,
            "sub": client.client_id,
            "client_id": client.client_id,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": str(uuid4()),
            "scope": client.scopes,
            "org_id": str(client.org_id),
        }
        if client.country:
            claims["country"] = client.country
        header = {"typ": "at+jwt", "alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer to a token request (RFC 6749, 4.4) with these form fields. Raises TokenRefused."""
        if not form.get("grant_type") or not form.get("client_id"):
            raise TokenRefused("invalid_request")
        if form["grant_type"] != "client_credentials":
            raise TokenRefused("unsupported_grant_type")
        token = self.token(form["client_id"])
        return {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
