"""A key for each case, kept in a database of its own: erasing a case is destroying its key.

What is sealed is AES-256-GCM (NIST SP 800-38D) with the case and the place it stands in as associated data, so that a
value copied to another row or column does not open. Case keys are themselves wrapped by the service's
key-encryption key.
"""

import base64
import json
import os
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from shared import clock
from shared.db import case_keys as table

_FORMAT = b"\x01"
_NONCE = 12


class KeyDestroyed(Exception):
    """The case was erased, or never had a key: nothing of it can be opened."""


def _encrypt(key: bytes, plain: bytes, context: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _decrypt(key: bytes, sealed: bytes, context: str) -> bytes:
    if sealed[:1] != _FORMAT:
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context.encode())


def _mac(key: bytes, value: str) -> bytes:
    mac = HMAC(key, SHA256())
    mac.update(value.encode())
    return mac.finalize()


class Cipher:
    """Seals and opens what belongs to one case. `context` names the place: `table.column:row id`."""

    def __init__(self, case_id: UUID, key: bytes) -> None:
        self._case_id = case_id
        self._key = key

    def seal(self, plain: Any, context: str) -> bytes:
        """Any JSON value → bytes to store."""
        return _encrypt(self._key, json.dumps(plain, separators=(",", ":")).encode(), f"{self._case_id}|{context}")

    def open(self, sealed: bytes, context: str) -> Any:
        """What was sealed; raises cryptography's InvalidTag when it was not sealed here."""
        return json.loads(_decrypt(self._key, sealed, f"{self._case_id}|{context}"))


class CaseKeys:
    """The keys of one service's cases. Used outside the service's own transaction: keys live in another database."""

    def __init__(self, engine: AsyncEngine, key_encryption_key: bytes) -> None:
        if len(key_encryption_key) != 32:
            raise ValueError("the key-encryption key must have 32 bytes")
        self._engine = engine
        self._master = key_encryption_key

    async def create(self, case_id: UUID) -> Cipher:
        """The case's cipher, with a new key if it has none yet. A destroyed key is not made again: KeyDestroyed."""
        wrapped = _encrypt(self._master, AESGCM.generate_key(256), f"case key|{case_id}")
        statement = insert(table).values(case_id=case_id, wrapped=wrapped, created_at=clock.now())
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_nothing())
        return await self.cipher(case_id)

    async def cipher(self, case_id: UUID) -> Cipher:
        async with self._engine.connect() as connection:
            wrapped = await connection.scalar(select(table.c.wrapped).where(table.c.case_id == case_id))
        if wrapped is None:
            raise KeyDestroyed
        return Cipher(case_id, _decrypt(self._master, wrapped, f"case key|{case_id}"))

    async def destroy(self, case_id: UUID) -> None:
        """Once this returns nothing of the case can be opened. Do it last in an action: it cannot be rolled back."""
        statement = update(table).where(table.c.case_id == case_id, table.c.wrapped.is_not(None))
        async with self._engine.begin() as connection:
            await connection.execute(statement.values(wrapped=None, destroyed_at=clock.now()))

    def blind(self, value: str, purpose: str) -> bytes:
        """A keyed index of `value` for equality search: equal values of one purpose give equal bytes."""
        return _mac(_mac(self._master, f"blind index|{purpose}"), value)


def case_keys(session: AsyncSession) -> CaseKeys:
    """The case keys of the service whose session this is."""
    keys: CaseKeys = session.info["case keys"]
    return keys


def decode_key(encoded: str) -> bytes:
    return base64.b64decode(encoded, validate=True)
