"""Tokens: what RFC 9068 and the trust file allow, and everything that is none of it."""

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from shared.errors import Unauthenticated
from shared.http import auth
from shared.http.auth import Trust, issuer_of

AUDIENCE = "https://relink.example"
ORGANIZATION = "00000000-0000-7000-8000-000000000003"
KEY = ECKey.generate_key("P-256", parameters={"kid": "one"}, private=True)
STRANGER = ECKey.generate_key("P-256", parameters={"kid": "one"}, private=True)


def trust() -> Trust:
    keys = KeySet([KEY]).as_dict(private=False)
    entry = {"issuer": "https://as.example", "jwks": keys, "organizations": [ORGANIZATION], "countries": ["BE"]}
    return Trust(AUDIENCE, [issuer_of(entry)])


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": "https://as.example",
        "aud": AUDIENCE,
        "sub": "counsellor-1",
        "client_id": "be-return",
        "iat": now,
        "exp": now + 300,
        "jti": "j1",
        "org_id": ORGANIZATION,
        "country": "BE",
        "scope": "cases:read cases:write",
    } | changes
    return {name: value for name, value in good.items() if value is not None}


def token(header: dict[str, Any] | None = None, key: Any = KEY, **changes: Any) -> str:
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "one", **(header or {})}, claims(**changes), key)


async def test_a_good_token_says_who_speaks() -> None:
    actor = await trust().actor(token())
    assert (actor.client_id, str(actor.org_id), actor.country) == ("be-return", ORGANIZATION, "BE")
    assert actor.may("cases:write")
    assert not actor.may("cases")


@pytest.mark.parametrize("missing", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "org_id"])
async def test_a_token_without_a_required_claim_is_refused(missing: str) -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(token(**{missing: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"aud": "https://elsewhere.example"},
        {"aud": ["https://elsewhere.example"]},
        {"iss": "https://stranger.example"},
        {"org_id": "00000000-0000-7000-8000-000000000004"},
        {"org_id": "not an id"},
        {"country": "DE"},
        {"exp": "tomorrow"},
    ],
)
async def test_a_token_that_may_not_speak_here_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(token(**changes))


@pytest.mark.parametrize("typ", ["JWT", "", None])
async def test_only_an_access_token_is_one(typ: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(token({"typ": typ} if typ is not None else {"typ": "id+jwt"}))


async def test_a_token_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(token(key=STRANGER))


async def test_a_token_that_was_good_is_none_any_more_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    here, sent = trust(), token()
    assert await here.actor(sent) == await here.actor(sent)
    later = time.time() + 300 + auth.LEEWAY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await here.actor(sent)


async def test_a_token_that_was_good_is_none_any_more_once_its_issuer_has_other_keys() -> None:
    here, sent = trust(), token()
    await here.actor(sent)
    here.issuers["https://as.example"].keys = KeySet([STRANGER])
    with pytest.raises(Unauthenticated):
        await here.actor(sent)


async def test_what_is_remembered_of_tokens_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 2)
    here = trust()
    sent = [token(jti=f"j{number}") for number in range(4)]
    for _ in range(2):
        for each in sent:
            assert (await here.actor(each)).client_id == "be-return"
        assert len(here._seen) == 2


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
async def test_alg_none_is_refused(algorithm: str) -> None:
    header = _part({"alg": algorithm, "typ": "at+jwt", "kid": "one"})
    with pytest.raises(Unauthenticated):
        await trust().actor(f"{header}.{_part(claims())}.")


async def test_a_token_without_its_signature_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(token().rpartition(".")[0] + ".")


async def test_the_public_key_is_no_shared_secret() -> None:
    secret = OctKey.import_key(KEY.as_pem(private=False).replace(b"-", b"="))
    forged = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": "one"}, claims(), secret, algorithms=["HS256"])
    with pytest.raises(Unauthenticated):
        await trust().actor(forged)


DEEP = base64.urlsafe_b64encode(b"[" * 1500).decode()


@pytest.mark.parametrize(
    "garbage", [f"{DEEP}.{DEEP}.x", "", "a", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA"]
)
async def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(Unauthenticated):
        await trust().actor(garbage)
