from sqlalchemy.orm import Mapped, mapped_column

from services.registry.tables import Base
from shared.db import Versioned


class Area(Versioned, Base):
    """An administrative area below a country; countries themselves have no row."""

    __tablename__ = "areas"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    level: Mapped[int]
    """Administrative level: 1 below the country, and so on; 0 is the country."""
    parent: Mapped[str | None] = mapped_column(index=True)
    """Code of the area, or country, that it lies in; None for a country."""
    country: Mapped[str] = mapped_column(index=True)
    provisional: Mapped[bool] = mapped_column(default=False)
    """True while only an import has named it: it is in no list of P-codes that was taken over."""
