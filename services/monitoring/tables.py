"""The base of every table in the monitoring service's database, the plumbing of `shared` among them."""

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from shared.db import TYPES, service_metadata


class Base(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = TYPES


def table_of(model: type[Base]) -> Table:
    """The model's table, for statements that leave the ORM aside."""
    return Base.metadata.tables[model.__tablename__]
