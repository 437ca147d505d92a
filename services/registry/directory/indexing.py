"""What is searched for, derived from what was entered: the terms of a service, and its points on the map.

Terms are words, the beginnings of words (nothing here knows the endings of all languages), and marks for its type and
the areas it covers: one index over all of them answers a search at once, beginning with its rarest term.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.registry.areas.domain import prefixes
from services.registry.folding import fold

SHORTEST, LONGEST = 3, 12
"""Letters of a beginning that is kept. A longer word is found by its first twelve."""


def terms_of(texts: Iterable[str | None], service_type: str | None, covered_areas: Iterable[str]) -> list[str]:
    """Everything by which a service with these texts, type and areas is found."""
    words = {
        term for text in texts if text for word in {*_words(text), *fold(text).split()} for term in _beginnings(word)
    }
    areas = {mark for code in covered_areas for mark in (area_mark(code), *map(part_mark, prefixes(code)))}
    return sorted(words | areas | ({type_mark(service_type)} if service_type else set()))


def words_wanted(text: str) -> list[str]:
    """The terms that a service must have to be found by this text."""
    return sorted({word[:LONGEST] for word in _words(text)})


def areas_wanted(area: str) -> list[str]:
    """Terms of which a service that covers this area has one: the area's code is covered, or a beginning of it."""
    return [area_mark(code) for code in (area, *prefixes(area))]


def part_of(area: str) -> list[str]:
    """Terms of which a service that is given anywhere in this area has one: it covers it, or a part of it."""
    return [*areas_wanted(area), part_mark(area)]


def type_mark(service_type: str) -> str:
    return f"type:{service_type}"  # no word holds a colon


def area_mark(code: str) -> str:
    return f"area:{code}"


def part_mark(code: str) -> str:
    """On a service that covers something whose code begins with this one."""
    return f"in:{code}"


def _words(text: str) -> list[str]:
    """An apostrophe parts words (`l'école`); where it only stands in one (`children's`), the whole is a term too."""
    return fold(text.replace("'", " ").replace("’", " ")).split()


def _beginnings(word: str) -> Iterator[str]:
    yield word[:LONGEST]
    yield from (word[:length] for length in range(SHORTEST, min(len(word), LONGEST)))


def points_of(locations: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """The locations whose place on the map is known, numbered as they stand."""
    return [
        {"number": number, "latitude": latitude, "longitude": longitude}
        for number, place in enumerate(locations or ())
        if (latitude := place.get("latitude")) is not None and (longitude := place.get("longitude")) is not None
    ]
