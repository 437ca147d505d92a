"""Which of several texts a reader gets: `Accept-Language` (RFC 9110, 12.5.4), with English to fall back on."""

from collections.abc import Mapping
from typing import Annotated

import pycountry
from fastapi import Depends, Header

FALLBACK = "eng"


def preferred(header: str | None) -> tuple[str, ...]:
    """The languages a reader asks for, best first, as ISO 639-3; ranges that name no language are passed over."""
    if not header:
        return ()
    wishes: list[tuple[float, str]] = []
    for wish in header.split(",")[:20]:
        tag, _, quality = wish.partition(";")
        code = _iso_639_3(tag.strip().split("-")[0].lower())
        weight = _weight(quality)
        if code is not None and weight > 0:
            wishes.append((-weight, code))
    return tuple(dict.fromkeys(code for _, code in sorted(wishes, key=lambda wish: wish[0])))


def pick(texts: Mapping[str, str], languages: tuple[str, ...]) -> str:
    """The text in the first language there is one for, else in English, else whichever there is; none: empty."""
    for language in (*languages, FALLBACK):
        if language in texts:
            return texts[language]
    return next(iter(texts.values()), "")


def _iso_639_3(code: str) -> str | None:
    if len(code) not in (2, 3) or not code.isascii() or not code.isalpha():
        return None
    known = pycountry.languages.get(alpha_2=code) if len(code) == 2 else pycountry.languages.get(alpha_3=code)
    return None if known is None else str(known.alpha_3)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


async def _languages(
    accept_language: Annotated[
        str | None, Header(description="In which languages texts are wanted, for example `fr-BE, fr;q=0.9`")
    ] = None,
) -> tuple[str, ...]:
    return preferred(accept_language)


Languages = Annotated[tuple[str, ...], Depends(_languages)]
"""The reader's languages, best first, as ISO 639-3."""
