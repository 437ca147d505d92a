from pydantic import Field

from shared.http.schema import AreaCode, Country, In, Name, Out


class AreaIn(In):
    """An administrative area below a country."""

    code: AreaCode
    name: Name
    level: int = Field(ge=1, le=5)
    parent: AreaCode
    country: Country
    provisional: bool = False


class AreaOut(Out):
    """A country (level 0) or an administrative area below one."""

    code: str
    name: str
    level: int
    parent: str | None
    country: str
    provisional: bool
    version: int
