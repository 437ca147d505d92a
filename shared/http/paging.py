"""Cursor paging: stable under inserts, and the cursor carries a position, never a right."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from shared.errors import Unprocessable, invalid

T = TypeVar("T")
_Column = ColumnElement[Any] | InstrumentedAttribute[Any]
_DECODERS: dict[str, Callable[[str], Any]] = {
    "u": UUID,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "s": str,
    "i": int,
}


class Page(BaseModel, Generic[T]):
    """One page, and the cursor of the next; null on the last."""

    model_config = ConfigDict(from_attributes=True, arbitrary_types_allowed=True)
    items: Sequence[T]
    next: str | None = None


@dataclass(frozen=True)
class _PageRequest:
    limit: int
    after: list[Any] | None


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    after: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
) -> _PageRequest:
    return _PageRequest(limit, None if after is None else _decode(after))


PageRequest = Annotated[_PageRequest, Depends(_page_request)]


_KINDS: tuple[tuple[type, str], ...] = ((UUID, "u"), (datetime, "t"), (date, "d"), (str, "s"), (int, "i"))
"""The first that fits: a datetime is a date too, and drivers have subclasses of their own."""


def _encode(values: Sequence[Any]) -> str:
    kinds = [next(kind for of, kind in _KINDS if isinstance(value, of)) for value in values]
    told = [value.isoformat() if isinstance(value, date) else str(value) for value in values]
    marked = [kind + text for kind, text in zip(kinds, told, strict=True)]
    return base64.urlsafe_b64encode(json.dumps(marked).encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    try:
        marked = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(marked, list) or not all(isinstance(value, str) for value in marked):
            raise _bad_cursor()
        return [_DECODERS[value[0]](value[1:]) for value in marked]
    except (binascii.Error, ValueError, KeyError, IndexError, RecursionError) as error:
        raise _bad_cursor() from error


def _bad_cursor() -> Unprocessable:
    return Unprocessable(errors=[invalid("/query/after", "is not a cursor that was given out here", "cursor")])


async def page_of(
    session: AsyncSession, query: Select[Any], page: _PageRequest, by: Sequence[InstrumentedAttribute[Any]]
) -> Page[Any]:
    """The rows of `query` after the cursor, ascending by the columns `by`, which together must be unique."""
    return _page(list(await session.scalars(_asked_for(query, page, by))), page, by)


async def page_of_rows(
    session: AsyncSession, query: Select[Any], page: _PageRequest, by: Sequence[_Column]
) -> Page[Any]:
    """The same for a query of several columns, the columns `by` among them."""
    return _page(list((await session.execute(_asked_for(query, page, by))).all()), page, by)


def _asked_for(query: Select[Any], page: _PageRequest, by: Sequence[_Column]) -> Select[Any]:
    """One row more than the page holds: it says that there is a next one."""
    if page.after is not None:
        if len(page.after) != len(by) or any(
            not isinstance(value, column.type.python_type) for value, column in zip(page.after, by, strict=True)
        ):
            raise _bad_cursor()
        query = query.where(tuple_(*by) > tuple_(*page.after))
    return query.order_by(*by).limit(page.limit + 1)


def _page(rows: list[Any], page: _PageRequest, by: Sequence[_Column]) -> Page[Any]:
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    names = [str(column.key) for column in by]
    return Page(items=rows, next=_encode([getattr(rows[-1], name) for name in names]) if more else None)
