import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.imports.names import acronym_key, alike, blocks, name_key


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Development for Peace Organization", "Development for peace organization"),
        ("Organization for Welfare & Development in Action", "Organization for Welfare and Development in Action"),
        ("Vétérinaires sans Frontières Germany", "Veterinaires Sans Frontieres-Germany"),
        ("SOS Children’s Villages", "SOS Children's Villages"),
        ("Rift valley children\xa0and women", "Rift Valley Children and Women"),
    ],
)
def test_names_that_differ_in_spelling_alone_are_the_same(left: str, right: str) -> None:
    assert name_key(left) == name_key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("Danish Refugee Council", "Norwegian Refugee Council"), ("Mercy Corps", "Medical Corps"), ("Imagine 1 Day", "")],
)
def test_different_organisations_stay_different(left: str, right: str) -> None:
    assert name_key(left) != name_key(right)
    assert not alike(name_key(left), name_key(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Finish Refugee Council", "Finnish Refugee Council"),
        ("SOS Children's Villages", "SOS Children’s Village"),
        ("World Food Programme", "World Food Program"),
        ("Imagen 1 Day", "Imagine 1 Day"),
    ],
)
def test_a_letter_more_or_less_looks_alike_and_is_looked_for(left: str, right: str) -> None:
    assert name_key(left) != name_key(right)
    assert alike(name_key(left), name_key(right))
    assert blocks(name_key(left)) & blocks(name_key(right))


def test_an_acronym_is_compared_without_signs() -> None:
    assert acronym_key("OWS-DF") == acronym_key("OWS DF") == acronym_key("ows df")


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
