"""Idempotency-Key (IETF draft): the same request twice is done once, and answered twice with the same answer.

The answer is kept in the transaction of the effect. Answers to POST and PATCH hold no identity; one that holds facts or
words about a person is kept sealed under the key of her case (`keep_sealed`).
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared import clock, writes
from shared.actor import Actor
from shared.crypto import KeyDestroyed, case_keys
from shared.db import idempotency_keys as table
from shared.errors import IdempotencyKeyInUse, IdempotencyKeyMissing, IdempotencyKeyReused, Malformed, NotFound

KEY_REQUIRED: dict[str, Any] = {"x-idempotency-key": "required"}
"""`openapi_extra` of a route that refuses to work without a key."""
KEPT_HOURS = 72
_KEPT_HEADERS = ("etag", "relink-event", "location", "content-type")
_CASE = "case whose key seals the answer"
_CONTEXT = "idempotency_keys.body"
_BOUNDARY = re.compile(r'multipart/form-data;.*boundary="?([^";]+)', re.IGNORECASE)
_FORM = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')


_lock = select(
    func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("lock_name"), 0)).label("held")
).subquery()
_this = (
    (table.c.org_id == bindparam("of_org"))
    & (table.c.client_id == bindparam("of_client"))
    & (table.c.route == bindparam("of_route"))
    & (table.c.key == bindparam("this_key"))
)
_LOCK_AND_LOOK = select(_lock.c.held, table).select_from(_lock.outerjoin(table, _this))
"""One row. It sees what was kept before it began: an answer kept meanwhile is noticed by `first_use`."""


@dataclass(frozen=True)
class Claim:
    """One use of a key: by this client of this organisation, on this route, for this request."""

    org_id: UUID
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
    address = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    body = await request.body()
    if (boundary := _BOUNDARY.search(request.headers.get("content-type", ""))) is not None:
        body = body.replace(boundary[1].encode(), b"")  # every attempt makes a new one
    return Claim(actor.org_id, actor.client_id, route, key, hashlib.sha256(address + body).digest())


def keep_sealed(session: AsyncSession, case_id: UUID) -> None:
    """The answer to this request tells of a person: keep it sealed under the key of her case, and so erasable."""
    session.info[_CASE] = case_id


async def kept_answer(session: AsyncSession, claim: Claim) -> Response | None:
    """The answer to the first use of the key; None when this is the first. Holds the key until the transaction ends."""
    name = f"{claim.org_id}|{claim.client_id}|{claim.route}|{claim.key}"
    asked = {"lock_name": name, "of_org": claim.org_id, "of_client": claim.client_id, "of_route": claim.route,
             "this_key": claim.key}  # fmt: skip
    kept = (await session.execute(_LOCK_AND_LOOK, asked)).one()
    if not kept.held:
        raise IdempotencyKeyInUse(headers={"Retry-After": "1"})
    if kept.status is None:
        return None
    if kept.request_hash != claim.request_hash:
        raise IdempotencyKeyReused
    body = kept.body
    if kept.case_id is not None:
        try:
            body = (await case_keys(session).cipher(kept.case_id)).open(body, _CONTEXT).encode()
        except KeyDestroyed as error:  # the case was erased since, and this answer with it
            raise NotFound from error
    return Response(body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


async def keep_answer(session: AsyncSession, claim: Claim, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body, case_id = bytes(response.body), session.info.get(_CASE)
    if case_id is not None:
        body = (await case_keys(session).cipher(case_id)).seal(body.decode(), _CONTEXT)
    row = {
        "org_id": claim.org_id,
        "client_id": claim.client_id,
        "route": claim.route,
        "key": claim.key,
        "request_hash": claim.request_hash,
        "status": response.status_code,
        "headers": headers,
        "body": body,
        "case_id": case_id,
        "kept_at": clock.now(),
    }
    writes.insert(session, table, row)


@contextmanager
def first_use() -> Iterator[None]:
    """Around the commit of what a key was used for: nothing has happened if another request with it was faster."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) != table.primary_key.name:
            raise
        raise IdempotencyKeyInUse(headers={"Retry-After": "1"}) from error
