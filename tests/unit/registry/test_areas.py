from hypothesis import given
from hypothesis import strategies as st

from services.registry.areas import countries, domain

codes = st.lists(st.text("AB1", min_size=1, max_size=4), max_size=12)


def test_the_nearest_known_area_is_the_longest_prefix() -> None:
    known = {"ET", "ET06", "ET0602", "ET99x"}
    assert domain.nearest("ET060207", known) == "ET0602"
    assert domain.nearest("ET061301", known) == "ET06"
    assert domain.nearest("ET990101", known) == "ET"
    assert domain.nearest("QQ990101", known) is None
    assert domain.nearest("ET0602", known) == "ET06"


@given(codes, st.text("AB1", min_size=1, max_size=6))
def test_the_fewest_codes_cover_exactly_what_all_of_them_cover(given_codes: list[str], area: str) -> None:
    kept = domain.covering(given_codes)
    assert set(kept) <= set(given_codes)
    assert any(area.startswith(code) for code in kept) == any(area.startswith(code) for code in given_codes)
    assert not any(one != other and one.startswith(other) for one in kept for other in kept)


def test_countries_are_known_by_both_codes() -> None:
    assert countries.country_name("NG") == "Nigeria"
    assert countries.country_name("XK") == "Kosovo"
    assert countries.country_name("ZZ") is None
    assert countries.country_of_alpha_3("ETH") == "ET"
    assert countries.country_of_alpha_3("XKX") == "XK"
    assert countries.country_of_alpha_3("ZZZ") is None
