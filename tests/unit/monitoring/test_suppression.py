"""Small cells, and those that must be hidden with them."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.indicators.suppression import Key, to_suppress


def test_large_cells_are_all_shown() -> None:
    assert to_suppress({("female",): 5, ("male",): 50}, 5) == frozenset()


def test_a_single_small_cell_takes_the_next_smallest_with_it() -> None:
    cells: dict[Key, int] = {("NG012",): 3, ("NG025",): 40, ("NG033",): 9}
    assert to_suppress(cells, 5) == {("NG012",), ("NG033",)}


def test_two_cells_that_are_small_even_together_take_another_with_them() -> None:
    cells: dict[Key, int] = {("NG012",): 1, ("NG025",): 1, ("NG033",): 9, ("NG040",): 30}
    assert to_suppress(cells, 5) == {("NG012",), ("NG025",), ("NG033",)}


def test_two_small_cells_that_hide_each_other_are_enough() -> None:
    assert to_suppress({("a",): 3, ("b",): 4, ("c",): 9}, 5) == {("a",), ("b",)}


def test_a_median_cannot_be_subtracted() -> None:
    assert to_suppress({("a",): 3, ("b",): 9}, 5, complement=False) == {("a",)}


def test_neither_row_nor_column_gives_a_cell_of_a_table_away() -> None:
    table: list[Key] = [(sex, area) for sex in ("female", "male") for area in ("A", "B", "C")]
    cells = dict.fromkeys(table, 20)
    cells["female", "A"] = 2
    hidden = to_suppress(cells, 5)
    assert len(hidden) == 4, "the corners of a rectangle"
    assert {sex for sex, _ in hidden} == {"female", "male"}


@given(
    cells=st.dictionaries(
        st.tuples(st.sampled_from("ABCD"), st.sampled_from("xyz"), st.sampled_from("12")), st.integers(0, 40)
    ),
    threshold=st.integers(1, 10),
)
def test_in_every_total_and_margin_hidden_cells_hide_one_another(cells: dict[Key, int], threshold: int) -> None:
    hidden = to_suppress(cells, threshold)
    assert {key for key, number in cells.items() if number < threshold} <= hidden
    for size in range(3):
        for positions in combinations(range(3), size):
            lines: dict[Key, list[Key]] = {}
            for key in cells:
                lines.setdefault(tuple(key[position] for position in positions), []).append(key)
            for line in lines.values():
                inside = [key for key in line if key in hidden]
                if inside and len(inside) < len(line):
                    assert len(inside) >= 2
                    assert sum(cells[key] for key in inside) >= threshold
