"""Words as they are compared: without case, accents and punctuation, in whatever script they are written."""

import re
import unicodedata

_LETTERS = str.maketrans({"&": " and ", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "AE"})
_NOT_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Words with one space between: `"Vétérinaires sans Frontières"` → `"veterinaires sans frontieres"`."""
    folded = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return _NOT_WORD.sub(" ", letters.replace("'", "").replace("’", "")).strip().casefold()
