from services.registry.imports.matching import Known, Matched, match
from services.registry.imports.names import acronym_key, name_key
from services.registry.imports.threew import FoundOrganization, Mention
from shared.ids import new_id


def found(*named: tuple[str, str]) -> dict[Mention, FoundOrganization]:
    return {
        (acronym_key(acronym), name_key(name)): FoundOrganization(acronym, name, number)
        for number, (acronym, name) in enumerate(named, start=2)
    }


def names(matched: Matched) -> list[str]:
    return [group.name for group in matched.groups]


def codes(matched: Matched) -> list[str]:
    return [issue.code for issue in matched.issues]


def test_spellings_of_one_name_are_one_organisation_whatever_the_acronym() -> None:
    matched = match(found(("MT", "Medical Teams International"), ("MTI", "medical teams  international")), [])
    assert names(matched) == ["Medical Teams International"]
    assert codes(matched) == []


def test_an_acronym_alone_is_the_only_organisation_that_has_it_and_that_is_said() -> None:
    matched = match(found(("IOM", ""), ("IOM", "International Organization for Migration")), [])
    assert names(matched) == ["International Organization for Migration"]
    assert codes(matched) == ["matched_by_acronym"]


def test_an_acronym_alone_becomes_the_name_where_nothing_else_is_known() -> None:
    matched = match(found(("NMWEO", "")), [])
    assert names(matched) == ["NMWEO"]


def test_an_acronym_that_two_organisations_share_stays_apart() -> None:
    matched = match(found(("CARE", ""), ("CARE", "Every Where"), ("CARE", "Something Else Entirely")), [])
    assert sorted(names(matched)) == ["CARE", "Every Where", "Something Else Entirely"]
    assert set(codes(matched)) == {"possible_duplicate"}


def test_look_alikes_are_reported_and_never_merged() -> None:
    matched = match(found(("FRC", "Finish Refugee Council"), ("", "Finnish Refugee Council")), [])
    assert len(matched.groups) == 2
    assert codes(matched) == ["possible_duplicate"]
    assert "row 2" in matched.issues[0].detail


def test_a_known_organisation_is_found_again_by_name_acronym_or_earlier_import() -> None:
    by_name, by_acronym, renamed = new_id(), new_id(), new_id()
    known = [
        Known(by_name, "Action Aid", "AA"),
        Known(by_acronym, "World Food Programme", "WFP"),
        Known(renamed, "A better name", "", imported_as="the first name"),
    ]
    matched = match(found(("", "action aid"), ("WFP", ""), ("", "The First Name")), known)
    assert {group.known for group in matched.groups} == {by_name, by_acronym, renamed}
    assert codes(matched) == ["matched_by_acronym"]


def test_a_known_look_alike_is_reported() -> None:
    other = new_id()
    matched = match(found(("", "World Food Program")), [Known(other, "World Food Programme", "WFP")])
    assert matched.groups[0].known is None
    assert codes(matched) == ["possible_duplicate"]
    assert str(other) in matched.issues[0].detail
