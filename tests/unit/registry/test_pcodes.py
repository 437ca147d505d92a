import io

import pytest

from services.registry.areas.countries import country_of_alpha_3
from services.registry.imports import pcodes
from services.registry.imports.pcodes import Listed
from tests.support.reference import reference_data

HEADER = "Location,Admin Level,P-Code,Name,Parent P-Code,Valid from date"
ISO = {"ETH": "ET", "XKX": "XK"}


def read(*rows: str) -> Listed:
    return pcodes.read(io.BytesIO("\n".join([HEADER, *rows]).encode()), ISO.get)


def test_parents_come_first_and_level_one_hangs_below_the_country() -> None:
    listed = read("ETH,2,ET0101,North Western,ET01,2021-12-14", "ETH,1,ET01,Tigray,ETH,2021-12-14")
    assert [(each.code, each.parent, each.country) for each in listed.areas.values()] == [
        ("ET01", "ET", "ET"),
        ("ET0101", "ET01", "ET"),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ZZZ,1,ET01,Tigray,ETH,", "unknown_country"),
        ("ETH,1,Unspecified,Tigray,ETH,", "bad_area_code"),
        ("ETH,9,ET01,Tigray,ETH,", "bad_level"),
        ("ETH,1,ET01,,ETH,", "no_name"),
        ("ETH,2,ET01,Tigray,ET01,", "bad_area_code"),
    ],
)
def test_a_row_that_cannot_be_used_is_reported(line: str, code: str) -> None:
    listed = read(line)
    assert not listed.areas
    assert [(issue.row, issue.code) for issue in listed.issues] == [(2, code)]


def test_a_code_that_stands_twice_counts_once() -> None:
    listed = read("ETH,1,ET01,Tigray,ETH,", "ETH,1,ET01,Else,ETH,")
    assert [each.name for each in listed.areas.values()] == ["Tigray"]
    assert [(issue.row, issue.code) for issue in listed.issues] == [(3, "duplicate_code")]


def test_the_real_list() -> None:
    with (reference_data() / "threew" / "download-global-pcodes-adm-1-2.csv").open("rb") as file:
        listed = pcodes.read(file, country_of_alpha_3)
    assert listed.rows == 33363
    assert len(listed.areas) == 33362
    assert [issue.code for issue in listed.issues] == ["bad_area_code"]
