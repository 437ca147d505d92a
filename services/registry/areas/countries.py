"""Countries by ISO 3166-1, and `XK` for Kosovo: they need no import, every area hangs below one."""

from functools import cache

import pycountry

KOSOVO = ("XK", "XKX", "Kosovo")


@cache
def _names() -> dict[str, str]:
    return {each.alpha_2: each.name for each in pycountry.countries} | {KOSOVO[0]: KOSOVO[2]}


@cache
def _alpha_2() -> dict[str, str]:
    return {each.alpha_3: each.alpha_2 for each in pycountry.countries} | {KOSOVO[1]: KOSOVO[0]}


def country_name(code: str) -> str | None:
    """The name of a country by its alpha-2 code, None if there is none."""
    return _names().get(code)


def country_of_alpha_3(code: str) -> str | None:
    """The alpha-2 code for an alpha-3 code, None if there is none."""
    return _alpha_2().get(code)
