"""An issuer for tests of the plumbing: real keys, real tokens, any organisation and scope."""

import time
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.http.auth import Trust, issuer_of
from shared.ids import new_id

ORIGIN = "http://127.0.0.1:8000"


class Issuer:
    """Speaks for everybody."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", parameters={"kid": "test"}, private=True)

    def trust(self) -> Trust:
        keys = KeySet([self._key]).as_dict(private=False)
        return Trust(ORIGIN, [issuer_of({"issuer": "test", "jwks": keys, "organizations": "*", "countries": "*"})])

    def headers(self, client_id: str, scope: str, org_id: UUID | None = None) -> dict[str, str]:
        now = int(time.time())
        claims = {"iss": "test", "aud": ORIGIN, "sub": client_id, "client_id": client_id, "iat": now, "exp": now + 600}
        claims |= {"jti": str(new_id()), "org_id": str(org_id or new_id()), "scope": scope}
        token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, claims, self._key)
        return {"Authorization": f"Bearer {token}"}
