"""What a transaction writes goes to the database in one statement, just before it commits.

    WITH change_0 AS (INSERT INTO …), change_1 AS (UPDATE …), … SELECT

Rows are gathered while the transaction runs, and the objects that are new or changed in the session are written with
them. A query through the ORM sees them all the same: it flushes first, as it always does.

The rows of a table travel as one JSON document, which PostgreSQL reads into rows of the table's own type: the statement
is the same however many there are, and is prepared once. Inside one statement no change sees another's, and none needs
to: constraints are looked at when it ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import LargeBinary, Table, TextClause, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session

Row = dict[str, Any]

_PENDING = "rows to be written"
_ROWS = "json_populate_recordset(NULL::{table}, CAST(:rows_{number} AS json)) AS new"
INSERT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows}"
UPSERT = f"{INSERT} ON CONFLICT ({{key}}) DO UPDATE SET {{excluded}} WHERE {{only}}"
UPDATE = "UPDATE {table} SET {changes} FROM {rows} WHERE {same} AND {only}"
DELETE = "DELETE FROM {table} USING {rows} WHERE {same} AND {only}"


@dataclass(frozen=True)
class Change:
    """What is done with rows of a table: one of the forms above, with these columns.

    `only` is a condition on the row that is there, in SQL of ours.
    """

    form: str
    table: Table
    columns: tuple[str, ...]
    only: str = "true"


def insert(session: AsyncSession, table: Table, row: Row) -> None:
    """The row will be there, for the first time."""
    _put(session, Change(INSERT, table, tuple(row)), row)


def upsert(session: AsyncSession, table: Table, row: Row, only: str = "true") -> None:
    """The row will be there; one that has its primary key gets its other columns."""
    _put(session, Change(UPSERT, table, tuple(row), only), row)


def delete(session: AsyncSession, table: Table, key: Row, only: str = "true") -> None:
    """No row will be there with this primary key."""
    _put(session, Change(DELETE, table, tuple(key), only), key)


def _put(session: AsyncSession, change: Change, row: Row) -> None:
    """Of several changes of one row the last is done."""
    key = change.table, *(row[column.name] for column in change.table.primary_key)
    session.info.setdefault(_PENDING, {})[key] = change, row


def are_waiting(session: AsyncSession) -> bool:
    return bool(session.info.get(_PENDING))


def forget(session: Session) -> None:
    """Nothing of what was gathered will be written."""
    session.info.pop(_PENDING, None)


def flush(session: Session) -> None:
    """Write the rows that were gathered, before the objects of the session or after them."""
    _execute(session, session.info.pop(_PENDING, {}).values())


def commit(session: Session, *last: tuple[Change, Row]) -> None:
    """Write all of it and these. The session lets go of its objects; they are as they were written."""
    new, changed = list(session.new), list(session.dirty)
    if session.deleted or not all(map(_is_plain, [*new, *changed])):
        session.flush()  # what the ORM is for
        new = changed = []
    of_objects = [*map(_inserted, new), *filter(None, map(_updated, changed))]
    _execute(session, [*of_objects, *session.info.pop(_PENDING, {}).values(), *last])
    session.expunge_all()


def _execute(session: Session, changes: Iterable[tuple[Change, Row]]) -> None:
    together: dict[Change, list[Row]] = {}
    for change, row in changes:
        together.setdefault(change, []).append(_readable(change.table, row))
    if together:
        # In one order, whatever that of the session's sets: every order would be another statement to prepare.
        order = sorted(together, key=lambda change: (change.table.name, change.form, change.columns))
        documents = (to_json(together[change], fallback=_as_text).decode() for change in order)
        told = {f"rows_{number}": document for number, document in enumerate(documents)}
        session.connection().execute(_statement(tuple(order)), told)


@lru_cache(maxsize=1000)
def _statement(changes: tuple[Change, ...]) -> TextClause:
    parts = ", ".join(f"change_{number} AS ({_sql(change, number)})" for number, change in enumerate(changes))
    return text(f"WITH {parts} SELECT")


def _sql(change: Change, number: int) -> str:
    """Names are quoted: some columns are called like words of SQL."""
    table, key = f'"{change.table.name}"', [column.name for column in change.table.primary_key]
    others = [name for name in change.columns if name not in key]
    return change.form.format(
        table=table,
        columns=", ".join(f'"{name}"' for name in change.columns),
        rows=_ROWS.format(table=table, number=number),
        key=", ".join(f'"{name}"' for name in key),
        excluded=", ".join(f'"{name}" = excluded."{name}"' for name in others),
        changes=", ".join(f'"{name}" = new."{name}"' for name in others),
        same=" AND ".join(f'{table}."{name}" = new."{name}"' for name in key),
        only=change.only,
    )


_LISTENERS = ("before_insert", "before_update", "after_insert", "after_update")


class _Shape:
    """What is asked again and again of a mapped class."""

    def __init__(self, mapper: Mapper[Any]) -> None:
        columns = {each.key: each.columns[0] for each in mapper.column_attrs}
        self.table: Table = mapper.local_table  # type: ignore[assignment]  # none of ours maps anything else
        self.relationships = [each.key for each in mapper.relationships]
        self.names = {key: column.name for key, column in columns.items()}
        self.key = {key for key, column in columns.items() if column.primary_key}
        self.defaults = {key: column.default.arg for key, column in columns.items() if column.default is not None}
        self.listened_to = any(getattr(mapper.dispatch, name) for name in _LISTENERS)
        self.insert = Change(INSERT, self.table, tuple(self.names.values()))


_shape = lru_cache(maxsize=200)(_Shape)


def _is_plain(thing: object) -> bool:
    """Nothing about it has changed but its own columns, and nobody wants to be told by the ORM when it is written."""
    state = inspect(thing, raiseerr=True)
    shape = _shape(state.mapper)
    return not shape.listened_to and not any(state.attrs[key].history.has_changes() for key in shape.relationships)


def _inserted(thing: object) -> tuple[Change, Row]:
    """As the ORM does, what nobody has set is what the column's default says, or nothing."""
    shape = _shape(inspect(thing, raiseerr=True).mapper)
    for key, default in shape.defaults.items():
        if key not in vars(thing):
            setattr(thing, key, default(None) if callable(default) else default)
    values = vars(thing)
    return shape.insert, {name: values.get(key) for key, name in shape.names.items()}


def _updated(thing: object) -> tuple[Change, Row] | None:
    state = inspect(thing, raiseerr=True)
    shape = _shape(state.mapper)
    if not (changed := shape.names.keys() - state.unmodified):
        return None
    row = {shape.names[key]: getattr(thing, key) for key in sorted(changed | shape.key)}
    return Change(UPDATE, shape.table, tuple(row)), row


@lru_cache(maxsize=200)
def _binary(table: Table) -> frozenset[str]:
    return frozenset(column.name for column in table.columns if isinstance(column.type, LargeBinary))


def _readable(table: Table, row: Row) -> Row:
    """The row with its bytes as PostgreSQL writes them in a text."""
    if not (binary := _binary(table)):
        return row
    return row | {name: f"\\x{value.hex()}" for name in binary if (value := row.get(name)) is not None}


def _as_text(value: object) -> str:
    """What pydantic does not know: the driver has a UUID of its own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
