"""The floor under `POST /referral/v1/referrals`: what it would cost at the least on FastAPI and asyncpg.

The same body, validated by the same model, and the same rows, written by one prepared statement on a pooled connection.
Nobody is asked who he is, nothing is judged, no key is looked up, nothing is locked before it is written. The rows:

    cases (update) · referrals · referral_tasks · referral_history · place_claims · place_ledgers (update) ·
    case_parties · timers (2) · outbox (2) · idempotency_keys
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request, Response

from services.referral.referrals.schemas import ReferralIn
from shared import clock
from shared.ids import new_id
from shared.service import server

WRITE = """
WITH of_case AS (
    UPDATE cases SET open_referrals = open_referrals + 1 WHERE case_id = $2
), referral AS (
    INSERT INTO referrals (referral_id, version, created_at, changed_at, case_id, owner_id, status, service_id,
        need_dimension, need_type, priority, when_full, decision_id, member_ids, mechanism_id, declared_safe,
        development_referral, warnings, task_id, ahead, due, decision_due_at, escalated, submitted_at)
    VALUES ($1, 1, $5, $5, $2, $6, 'submitted', $3, $9, $10, $11, 'refuse', $4, '{}', $8, false, 'yes', '[]', $12,
        $17, $18, $15, false, $5)
), task AS (
    INSERT INTO referral_tasks (task_id, referral_id, number, leg, organization_id, role, state, from_organization_id,
        service_id, mechanism_id, agreement_id, deadlines, takes_part, opened_at)
    VALUES ($12, $1, 1, 1, $7, 'hub', 'submitted', $6, $3, $8, $23, $19, true, $5)
), entry AS (
    INSERT INTO referral_history (entry_id, referral_id, version, at, what, by, from_status, to_status, task_id, place,
        details)
    VALUES ($13, $1, 1, $5, 'submit', $6, 'draft', 'submitted', $12, 'held', '{}')
), claim AS (
    INSERT INTO place_claims (referral_id, case_id, service_id, state, priority, urgency, vulnerable, declines,
        passed_over, queued_at)
    VALUES ($1, $2, $3, 'held', $11, 2, false, 0, false, $5)
), ledger AS (
    UPDATE place_ledgers SET held = held + 1, version = version + 1, changed_at = $5 WHERE service_id = $3
), party AS (
    INSERT INTO case_parties (case_id, organization_id, role) VALUES ($2, $7, 'receiver')
    ON CONFLICT (case_id, organization_id) DO UPDATE SET role = 'receiver'
), clocks AS (
    INSERT INTO timers (kind, aggregate_id, due_at) VALUES ('acknowledgement', $1, $14), ('decision', $1, $15)
), said AS (
    INSERT INTO outbox (event_id, type, subject, key, version, occurred_at, data)
    VALUES ($20, 'relink.referral.PlacesChanged', $3, $3, 1, $5, $21),
        ($16, 'relink.referral.ReferralCreated', $1, $2, 1, $5, $22)
)
INSERT INTO idempotency_keys (org_id, client_id, route, key, request_hash, status, headers, body, kept_at)
VALUES ($6, 'be-return', '/referral/v1/referrals', $24, $25, 201, $26, $27, $5)
"""
OWNER, HUB, MECHANISM, AGREEMENT, PROVIDER = (new_id() for _ in range(5))
LEG = json.dumps([{"organization_id": str(PROVIDER), "mechanism_id": str(MECHANISM)}])
DEADLINES = json.dumps({f"deadline_{number}": None for number in range(10)})
ANSWER_BYTES = 2000
"""About as large as the answer that the service keeps."""


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["FLOOR_DATABASE_URL"], min_size=5, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_connected)


@app.post("/referral/v1/referrals", status_code=201)
async def create(body: ReferralIn, request: Request) -> Response:
    """Validated and written, and no more."""
    now = clock.now()
    due_at = now + timedelta(days=3)
    referral_id, task_id = new_id(), new_id()
    due = json.dumps({"acknowledgement": due_at.isoformat(), "decision": due_at.isoformat()})
    answer = _event(body, referral_id, now.isoformat()).ljust(ANSWER_BYTES).encode()
    await request.app.state.pool.execute(
        WRITE, referral_id, body.case_id, body.service_id, body.decision_id, now, OWNER, HUB, MECHANISM,
        body.need.dimension, body.need.type, body.priority, task_id, new_id(), due_at, due_at, new_id(), LEG, due,
        DEADLINES, new_id(), json.dumps({"service_id": str(body.service_id), "set_aside": 100, "held": 1}),
        _event(body, referral_id, now.isoformat()), AGREEMENT, request.headers["idempotency-key"], answer[:32],
        '{"etag": "\\"1\\"", "content-type": "application/json"}', answer,
    )  # fmt: skip
    return Response(answer, 201, media_type="application/json")


def _event(body: ReferralIn, referral_id: UUID, at: str) -> str:
    return json.dumps(
        {
            "version": 1, "referral_id": str(referral_id), "case_id": str(body.case_id), "occurred_at": at,
            "status": "submitted", "service_id": str(body.service_id), "need": body.need.type,
            "priority": body.priority, "owner_id": str(OWNER), "organization_id": str(HUB), "acted_by": str(OWNER),
            "leg": 1, "place": "held", "freed_service_id": None, "reason": None, "decision_id": str(body.decision_id),
            "via_mechanism_id": str(MECHANISM), "development_referral": "yes",
        }
    )  # fmt: skip


async def serve(port: int) -> None:
    """As `Service` serves, but with the lifespan in which the pool is made."""
    uvicorn = server(app, port)
    uvicorn.config.lifespan = "on"
    await uvicorn.serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
