"""Several questions to the database in one round trip.

The queries of a module offer what they can find as `Question`s; whoever needs several asks them together. Each comes
back as JSON made by PostgreSQL, read straight into the dataclass of its rows.
"""

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, Text, cast, func, inspect, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import attributes, make_transient_to_detached

from shared import writes

Row = TypeVar("Row")
Thing = TypeVar("Thing")
_NOTHING: ColumnElement[Any] = literal_column("'[]'::json")


@dataclass(frozen=True, eq=False)
class Question(Generic[Row]):
    """`query` names its parameters with `bindparam`, and its columns like the fields of `row`."""

    query: Select[*tuple[Any, ...]]
    row: type[Row]
    rows: TypeAdapter[list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", TypeAdapter(list[self.row]))  # type: ignore[name-defined]


class Answers:
    """What came back, by question."""

    def __init__(self, found: dict[Question[Any], str]) -> None:
        self._found = found

    def to(self, question: Question[Row]) -> list[Row]:
        return question.rows.validate_json(self._found[question])

    def one(self, question: Question[Row]) -> Row:
        """Of a question that always has one row."""
        (row,) = self.to(question)
        return row


async def ask(session: AsyncSession, *questions: Question[Any], **told: Any) -> Answers:
    """One statement, and so one view of the data; what the session has changed is in it."""
    if session.new or session.dirty or session.deleted or writes.are_waiting(session):
        await session.flush()
    row = (await session.execute(_together(questions), told)).one()
    return Answers(dict(zip(questions, row, strict=True)))


@lru_cache(maxsize=100)
def _together(questions: tuple[Question[Any], ...]) -> Select[Any]:
    return select(*(_as_json(question.query, f"answer_{number}") for number, question in enumerate(questions)))


def _as_json(query: Select[*tuple[Any, ...]], name: str) -> Any:
    rows = query.subquery(name)
    return select(cast(func.coalesce(func.json_agg(rows.table_valued()), _NOTHING), Text)).scalar_subquery().label(name)


def columns_of(model: Any, row: Any) -> list[Any]:
    """The columns of a model's table that are fields of the dataclass."""
    columns = model.__table__.c
    return [columns[each.name] for each in fields(row) if each.name in columns]


def as_read(session: AsyncSession, model: type[Thing], values: dict[str, Any]) -> Thing:
    """The object of the session as if the ORM had just read these columns of it."""
    mapper = inspect(model, raiseerr=True)
    key = mapper.identity_key_from_primary_key([values[column.name] for column in mapper.primary_key])
    if (known := session.identity_map.get(key)) is not None:
        for name, value in values.items():
            attributes.set_committed_value(known, name, value)
        return known  # type: ignore[no-any-return]
    thing: Thing = mapper.class_manager.new_instance()
    vars(thing).update(values)
    make_transient_to_detached(thing)
    session.add(thing)
    return thing
