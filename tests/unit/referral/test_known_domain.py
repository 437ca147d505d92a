"""How closely a mechanism meets an area."""

import pytest

from services.referral.known.domain import reach


@pytest.mark.parametrize(
    ("area", "covered", "closeness"),
    [
        ("NG012003", ["NG012"], 5),
        ("NG012003", ["NG012", "NG012003"], 8),
        ("NG012003", ["NG"], 2),
        ("NG012003", [], 0),
        ("NG012003", ["NG013"], None),
        ("NG012", ["NG012003"], None),
        (None, [], 0),
        (None, ["NG"], 2),
        (None, ["NG012"], None),
    ],
)
def test_the_longest_prefix_counts(area: str | None, covered: list[str], closeness: int | None) -> None:
    assert reach("NG", area, covered) == closeness
