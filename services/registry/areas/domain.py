"""Codes of areas: how they nest, and what their prefixes say."""

from collections.abc import Iterable

MAX_CODE = 20


def prefixes(code: str) -> list[str]:
    """Every proper prefix of a code that could itself be one, the longest first: `ET0602` → `ET060, ET06, ET0, ET`."""
    return [code[:length] for length in range(len(code) - 1, 1, -1)]


def nearest(code: str, known: Iterable[str]) -> str | None:
    """The smallest known area that the code's prefix names, or None."""
    codes = set(known)
    return next((prefix for prefix in prefixes(code) if prefix in codes), None)


def covering(codes: Iterable[str]) -> list[str]:
    """The fewest codes that cover all of these, an area being covered when its code starts with one of them."""
    kept: list[str] = []
    for code in sorted(set(codes)):  # a prefix sorts before everything that starts with it
        if not kept or not code.startswith(kept[-1]):
            kept.append(code)
    return kept
