"""Idempotency-Key (IETF draft): the same request twice is done once, and answered twice with the same answer.

The answer is kept in the transaction of the effect. Answers to POST and PATCH hold no identity, so none is kept here.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared import clock
from shared.actor import Actor
from shared.db import idempotency_keys as table
from shared.errors import IdempotencyKeyInUse, IdempotencyKeyMissing, IdempotencyKeyReused, Malformed

KEY_REQUIRED: dict[str, Any] = {"x-idempotency-key": "required"}
"""`openapi_extra` of a route that refuses to work without a key."""
KEPT_HOURS = 72
_KEPT_HEADERS = ("etag", "relink-event", "location", "content-type")
_FORM = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')


@dataclass(frozen=True)
class Claim:
    """One use of a key: by this client, on this route, for this request."""

    client_id: str
    route: str
    key: str
    request_hash: bytes


def key_of(request: Request, required: bool) -> str | None:
    """The key, bare or as a structured-field string; None where none was sent and none is needed."""
    sent = request.headers.get("idempotency-key")
    if sent is None:
        if required:
            raise IdempotencyKeyMissing
        return None
    if (form := _FORM.fullmatch(sent.strip())) is None:
        raise Malformed("Idempotency-Key must be 1 to 255 visible characters")
    return form[1]


async def claim(request: Request, route: str, actor: Actor, key: str) -> Claim:
    request_hash = hashlib.sha256(
        f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    )
    return Claim(actor.client_id, route, key, request_hash.digest())


async def kept_answer(session: AsyncSession, claim: Claim) -> Response | None:
    """The answer to the first use of the key; None when this is the first. Holds the key until the transaction ends."""
    name = f"{claim.client_id}|{claim.route}|{claim.key}"
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise IdempotencyKeyInUse(headers={"Retry-After": "1"})
    query = select(table).where(
        table.c.client_id == claim.client_id, table.c.route == claim.route, table.c.key == claim.key
    )
    kept = (await session.execute(query)).one_or_none()
    if kept is None:
        return None
    if kept.request_hash != claim.request_hash:
        raise IdempotencyKeyReused
    return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


async def keep_answer(session: AsyncSession, claim: Claim, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    await session.execute(
        insert(table).values(
            client_id=claim.client_id,
            route=claim.route,
            key=claim.key,
            request_hash=claim.request_hash,
            status=response.status_code,
            headers=headers,
            body=bytes(response.body),
            kept_at=clock.now(),
        )
    )
