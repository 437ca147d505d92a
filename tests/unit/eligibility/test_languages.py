"""Readers get their language, else English, else what there is."""

import pytest

from services.eligibility.languages import pick, preferred


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, ()),
        ("", ()),
        ("*", ()),
        ("fr", ("fra",)),
        ("fra", ("fra",)),
        ("fr-BE, en;q=0.8, de;q=0.9", ("fra", "deu", "eng")),
        ("fr;q=0, de", ("deu",)),
        ("xx, qqq-Latn, 12, de", ("deu",)),
        ("de;q=often, fr", ("fra",)),
        ("fr, fr-BE, de", ("fra", "deu")),
    ],
)
def test_accept_language_is_read_as_iso_639_3(header: str | None, languages: tuple[str, ...]) -> None:
    assert preferred(header) == languages


def test_the_first_language_that_has_a_text_is_taken() -> None:
    texts = {"eng": "age", "fra": "âge"}
    assert pick(texts, ("deu", "fra")) == "âge"
    assert pick(texts, ("deu",)) == "age"
    assert pick({"fra": "âge"}, ("deu",)) == "âge"
    assert pick({}, ("deu",)) == ""
