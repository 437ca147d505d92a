"""Shapes that every API shares: strict input, and the field types they use."""

import re
from typing import Annotated

import pycountry
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

KOSOVO = "XK"


class In(BaseModel):
    """What a client sends. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, str_strip_whitespace=True)


class Out(BaseModel):
    """What a client reads."""

    model_config = ConfigDict(from_attributes=True)


def _country(code: str) -> str:
    if code != KOSOVO and (not code.isupper() or pycountry.countries.get(alpha_2=code) is None):
        raise PydanticCustomError("unknown_country", "is not an ISO 3166-1 alpha-2 code or XK")
    return code


def _language(code: str) -> str:
    if not code.islower() or pycountry.languages.get(alpha_3=code) is None:
        raise PydanticCustomError("unknown_language", "is not an ISO 639-3 code")
    return code


def _amount(value: str) -> str:
    if not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", value):
        raise PydanticCustomError("amount", "is not an amount such as 615.00")
    return value


Country = Annotated[str, StringConstraints(min_length=2, max_length=2), AfterValidator(_country)]
Language = Annotated[str, StringConstraints(min_length=3, max_length=3), AfterValidator(_language)]
AreaCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,20}$")]
"""An OCHA P-code, or the country's code for the whole country."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Money(In):
    """An amount of money; the amount is a string, so that nobody rounds it."""

    amount: Annotated[str, AfterValidator(_amount)]
    currency: str = Field(pattern=r"^[A-Z]{3}$")
