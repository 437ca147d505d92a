"""The catalogue is whole, and answers are read as their fact's type or refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.facts.catalogue import CATALOGUE
from services.eligibility.facts.domain import Fact, FactType, Level, Sensitivity, UnfitValueError, read, store


@pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda fact: fact.name)
def test_every_fact_is_asked_in_english_french_and_german(fact: Fact) -> None:
    assert {"eng", "fra", "deu"} <= fact.question.keys()
    assert all(fact.question.values())


@pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda fact: fact.name)
def test_codes_have_a_closed_list_or_the_pattern_of_a_standard(fact: Fact) -> None:
    assert bool(fact.allowed or fact.pattern) is (fact.type in (FactType.CODE, FactType.CODES))


def test_all_three_levels_can_be_asked_about() -> None:
    assert {fact.level for fact in CATALOGUE.values()} == set(Level)


def test_what_an_asylum_claim_follows_from_never_leaves_and_is_special() -> None:
    staying = {name for name, fact in CATALOGUE.items() if fact.never_leaves}
    assert staying == {"sought_asylum", "protection_status", "stayed_irregularly"}
    assert all(CATALOGUE[name].sensitivity is Sensitivity.SPECIAL for name in staying)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("has_valid_id", True, True),
        ("has_valid_id", False, False),
        ("minor_children", 0, 0),
        ("savings_eur", 615, Decimal(615)),
        ("savings_eur", 615.5, Decimal("615.5")),
        ("savings_eur", "615.00", Decimal("615.00")),
        ("born_on", "2000-02-29", date(2000, 2, 29)),
        ("sex", "female", "female"),
        ("nationality", "NG", "NG"),
        ("skills", ["retail", "tailoring", "retail"], frozenset({"retail", "tailoring"})),
        ("skills", [], frozenset()),
        ("sex", "unknown", None),
        ("has_valid_id", None, None),
    ],
)
def test_an_answer_is_read_as_the_type_of_its_fact(name: str, raw: object, value: object) -> None:
    answer = read(CATALOGUE[name], raw)
    assert answer == value
    assert type(answer) is type(value)


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("has_valid_id", "true", "boolean_expected"),
        ("has_valid_id", 1, "boolean_expected"),
        ("minor_children", True, "integer_expected"),
        ("minor_children", 2.0, "integer_expected"),
        ("minor_children", -1, "out_of_range"),
        ("minor_children", 51, "out_of_range"),
        ("savings_eur", "much", "decimal_expected"),
        ("savings_eur", float("nan"), "decimal_expected"),
        ("savings_eur", "Infinity", "decimal_expected"),
        ("savings_eur", True, "decimal_expected"),
        ("savings_eur", "-0.01", "out_of_range"),
        ("savings_eur", "9" * 31, "decimal_expected"),
        ("born_on", "2001-02-29", "impossible_date"),
        ("born_on", "20010228", "date_expected"),
        ("born_on", "2001-02-28T00:00:00Z", "date_expected"),
        ("born_on", 20010228, "date_expected"),
        ("born_on", "1899-12-31", "date_out_of_range"),
        ("born_on", "2200-01-01", "date_out_of_range"),
        ("sex", "f", "code_not_allowed"),
        ("sex", ["female"], "code_expected"),
        ("nationality", "NGA", "code_not_allowed"),
        ("skills", "retail", "codes_expected"),
        ("skills", ["juggling"], "code_not_allowed"),
        ("skills", [7], "code_expected"),
        ("languages", ["eng"] * 101, "too_many_codes"),
    ],
)
def test_an_answer_that_its_fact_cannot_have_is_refused(name: str, raw: object, code: str) -> None:
    with pytest.raises(UnfitValueError) as refused:
        read(CATALOGUE[name], raw)
    assert refused.value.code == code


_ANSWERS: dict[FactType, st.SearchStrategy[Any]] = {
    FactType.BOOLEAN: st.booleans(),
    FactType.INTEGER: st.integers(1, 50),
    FactType.DECIMAL: st.decimals(0, 10**9, places=2).map(str),
    FactType.DATE: st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(date.isoformat),
}


def _answer(fact: Fact) -> st.SearchStrategy[Any]:
    codes = st.sampled_from(fact.allowed) if fact.allowed else st.from_regex(fact.pattern or "", fullmatch=True)
    return {FactType.CODE: codes, FactType.CODES: st.lists(codes, max_size=5), **_ANSWERS}[fact.type]


@given(st.sampled_from(list(CATALOGUE.values())).flatmap(lambda fact: st.tuples(st.just(fact), _answer(fact))))
def test_what_was_stored_is_read_again_as_the_same_value(fact_and_answer: tuple[Fact, Any]) -> None:
    fact, raw = fact_and_answer
    value = read(fact, raw)
    assert value is not None
    assert read(fact, store(value)) == value
