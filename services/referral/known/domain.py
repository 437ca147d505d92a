"""How areas are compared: by the prefix of their P-codes (OCHA), whose first letters are those of the country."""

from collections.abc import Iterable


def reach(country: str, area: str | None, covered_areas: Iterable[str]) -> int | None:
    """How closely what is covered meets the area: the length of the longest prefix of its code, None if it does not.

    Nothing named covers the whole country, and so least closely: 0. A case without an area is met only by what covers
    its whole country.
    """
    prefixes = list(covered_areas)
    if not prefixes:
        return 0
    code = area or country
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=None)
