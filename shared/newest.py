"""Writing a batch of rows in one statement, and tables that hold of each aggregate what its newest version says.

The rows travel as one JSON array, so the statement is the same for any number of rows and any type of column. For 2,000
rows of 15 columns that took 20 µs a row in PostgreSQL and 6 in Python; as an array for each column 13 and 16, and one
row at a time 26 and 11.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, Column, Table, TableValuedAlias, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import Text, TypeEngine

Row = Mapping[str, Any]


def as_json(rows: Iterable[Row]) -> dict[str, str]:
    """The parameter of a statement over `rows_with`. What a row has beyond the columns is left out."""
    return {"rows": to_json(list(rows)).decode()}


def rows_with(columns: Mapping[str, TypeEngine[Any]], name: str) -> TableValuedAlias:
    """The parameter's rows as a table of these columns; what a row does not say is NULL."""
    rows = cast(bindparam("rows", type_=Text()), JSON())
    typed = [Column(column, of_type) for column, of_type in columns.items()]
    return func.json_to_recordset(rows).table_valued(*typed, name=name).render_derived(with_types=True)


async def keep_newest(session: AsyncSession, model: type[DeclarativeBase], rows: Iterable[Row]) -> None:
    """Write each row unless one as new as it is held: late and repeated events change nothing.

    The rows say the same columns of the model's table, its single primary key and `version` among them; only these are
    written.
    """
    table = model.metadata.tables[model.__tablename__]
    (key,) = (column.name for column in table.primary_key)
    newest: dict[Any, Row] = {}
    for row in rows:
        held = newest.get(row[key])
        if held is None or held["version"] < row["version"]:
            newest[row[key]] = row
    if newest:
        said = next(iter(newest.values()))
        names = tuple(column.name for column in table.columns if column.name in said)
        await session.execute(_keep_newest(table, names), as_json(newest.values()))


@cache
def _keep_newest(table: Table, names: tuple[str, ...]) -> Insert:
    (key,) = table.primary_key
    said = rows_with({name: table.c[name].type for name in names}, "said")
    statement = insert(table).from_select(list(names), select(*(said.c[name] for name in names)))
    newer = {name: statement.excluded[name] for name in names if name != key.name}
    return statement.on_conflict_do_update(
        index_elements=[key], set_=newer, where=table.c.version < statement.excluded.version
    )
