"""Names of organisations as spreadsheets write them: when two are the same, and when they only look alike.

The same means: equal after folding case, accents, punctuation and `&`. Everything weaker (one acronym with two names, a
letter more or less) is reported for a person to judge and never merged.
"""

from difflib import SequenceMatcher
from functools import lru_cache

from services.registry.folding import fold

_FILLERS = frozenset({"and", "for", "in", "of", "the"})
ALIKE = 0.88
"""Share of matching letters (Ratcliff/Obershelp) from which two names look alike; the project's own choice."""


@lru_cache(maxsize=16_384)  # a spreadsheet names the same few organisations and activities in every row
def name_key(text: str) -> str:
    """The name folded for comparison: `"Vétérinaires sans Frontières"` → `"veterinaires sans frontieres"`."""
    return fold(text)


def acronym_key(text: str) -> str:
    """The acronym folded for comparison: `"OWS-DF"` and `"OWS DF"` are one."""
    return name_key(text).replace(" ", "")


def blocks(key: str) -> set[str]:
    """Where to look for names like this one: the first letters of its first two telling words."""
    words = [word for word in key.split() if word not in _FILLERS]
    return {word[:4] for word in words[:2]}


def alike(left: str, right: str) -> bool:
    """True when two folded names differ so little that a person should look at them."""
    if left == right:
        return True
    if min(len(left), len(right)) < 6:
        return False
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
