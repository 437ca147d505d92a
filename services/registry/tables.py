"""The base of every table in the registry service's database, the plumbing of `shared` among them."""

from sqlalchemy.orm import DeclarativeBase

from shared.db import TYPES, service_metadata


class Base(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = TYPES
