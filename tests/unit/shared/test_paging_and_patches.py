"""Cursors that carry no rights, and merge patches as RFC 7396 prints them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unprocessable
from shared.http.merge_patch import merge
from shared.http.paging import _decode, _encode
from shared.ids import new_id

VALUES = st.one_of(st.uuids(), st.text(max_size=30), st.integers(), st.dates(), st.datetimes(timezones=st.just(UTC)))


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_was(values: list[Any]) -> None:
    assert _decode(_encode(values)) == values


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%%%", "bnVsbA", "WyJ6MSJd", "W1tdXQ", "W1sidSIsICJ4Il1d"],
)
def test_a_cursor_that_was_not_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(Unprocessable):
        _decode(cursor)


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_standard_says(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def test_dates_and_moments_are_told_apart_in_a_cursor() -> None:
    moment, day = datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)
    assert [type(value) for value in _decode(_encode([moment, day]))] == [datetime, date]
