"""Small cells: which cells of a table must not be shown so that nobody can be found in it.

A cell with few people in it is hidden. If it were the only hidden one of a total that is shown, subtraction would bring
it back; so others are hidden with it, until in every total and margin the hidden cells are at least two and together at
least as many as the threshold. That guards one answer and the margins that other answers with fewer attributes show. It
does not guard against comparing answers for different periods or instants.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations

Key = tuple[str, ...]


def _lines(cells: Mapping[Key, int]) -> Iterator[list[Key]]:
    """The cells that add up to one number of a smaller table: the total, and each margin over fewer attributes."""
    width = len(next(iter(cells), ()))
    for size in range(width):
        for positions in combinations(range(width), size):
            line: dict[Key, list[Key]] = {}
            for key in cells:
                line.setdefault(tuple(key[position] for position in positions), []).append(key)
            yield from line.values()


def to_suppress(cells: Mapping[Key, int], threshold: int, *, complement: bool = True) -> frozenset[Key]:
    """Which of these cells, given by their denominators, are not to be shown.

    Without `complement` only the small ones themselves: enough for a measure that cannot be subtracted, like a median.
    """
    hidden = {key for key, number in cells.items() if number < threshold}
    if not hidden or not complement:
        return frozenset(hidden)
    lines = list(_lines(cells))
    settled = False
    while not settled:
        settled = True
        for line in lines:
            inside = [key for key in line if key in hidden]
            shown = [key for key in line if key not in hidden]
            if inside and shown and (len(inside) < 2 or sum(cells[key] for key in inside) < threshold):
                hidden.add(min(shown, key=lambda key: (cells[key], key)))
                settled = False
    return frozenset(hidden)
