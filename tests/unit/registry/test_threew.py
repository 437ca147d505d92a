import io
from collections import Counter

import pytest

from services.registry.imports import threew
from services.registry.imports.threew import Findings
from tests.support.reference import reference_data

HEADER = (
    "Activity status,Donor Acronym,Donor Name,Implementing Partner Acronym,Implementing Partner Name,"
    "Implementing Partner Type,Region,Zone,Woreda,WoredaPcod,Cluster,Activity"
)
EMPTY = "," * 11


def read(*rows: str, header: str = HEADER) -> Findings:
    return threew.read(io.BytesIO("\n".join([header, *rows]).encode("utf-8-sig")))


def row(
    status: str = "On-going",
    acronym: str = "AA",
    name: str = "Action Aid",
    kind: str = "National NGO",
    code: str = "ET060207",
    cluster: str = "WASH",
    activity: str = "Durable water",
    donor: str = ",",
) -> str:
    return f"{status},{donor},{acronym},{name},{kind},Region,Zone,Woreda,{code},{cluster},{activity}"


def codes(findings: Findings) -> list[tuple[int | None, str]]:
    return [(issue.row, issue.code) for issue in findings.issues]


def test_rows_of_one_activity_are_one_service_with_all_its_areas() -> None:
    findings = read(row(), row(code="ET060205"), row(status="Planned", code="ET040204"), row(activity="Other work"))
    assert [(each.activity, list(each.areas)) for each in findings.services.values()] == [
        ("Durable water", ["ET060207", "ET060205", "ET040204"]),
        ("Other work", ["ET060207"]),
    ]
    assert codes(findings) == []


def test_what_is_completed_or_suspended_is_listed_and_not_used() -> None:
    findings = read(row(status="Completed"), row(status="Suspended"), row(status="Rumoured"), row(status=""))
    assert not findings.services
    assert not findings.organizations
    assert not findings.areas
    assert codes(findings) == [(2, "not_current"), (3, "not_current"), (4, "unknown_status"), (5, "unknown_status")]
    assert findings.statuses == {"completed": 1, "suspended": 1, "rumoured": 1, "": 1}


def test_empty_rows_are_counted() -> None:
    findings = read(row(), EMPTY, EMPTY)
    assert (findings.rows, findings.empty_rows) == (3, 2)


def test_an_implementer_with_an_acronym_only_is_reported() -> None:
    findings = read(row(name=""))
    assert codes(findings) == [(2, "acronym_only")]
    assert findings.organizations[("aa", "")].acronym_only


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (row(acronym="", name=""), "no_implementer"),
        (row(acronym="", name="=A1"), "formula"),
        (row(activity=""), "no_activity"),
        (row(name="n" * 301), "too_long"),
        (row(code=""), "no_area"),
        (row(code="somewhere"), "bad_area_code"),
        (row(cluster="Protection", activity="Case management"), "unmapped_cluster"),
    ],
)
def test_what_cannot_be_used_has_its_row_in_the_list(line: str, code: str) -> None:
    assert (2, code) in codes(read(line))


def test_an_activity_without_area_is_still_a_lead() -> None:
    assert [list(each.areas) for each in read(row(code="")).services.values()] == [[]]


def test_donors_are_organisations_and_implementers_have_a_kind() -> None:
    findings = read(row(donor="ECHO,European Commission"))
    kinds = {each.name: each.kind for each in findings.organizations.values()}
    assert kinds == {"European Commission": None, "Action Aid": "ngo"}


@pytest.mark.parametrize(
    ("cluster", "activity", "inferred"),
    [
        ("WASH", "Durable water", ("social", "food_and_water", "individual", True)),
        (
            "Protection",
            "Provide Psychosocial support services",
            ("psychosocial", "psychosocial_counselling", "individual", True),
        ),
        ("Protection", "life skills and vocational training", ("economic", "vocational_training", "individual", True)),
        ("Health", "Train health workers", ("social", "health", "community", True)),
        ("Mine action", "Clearance", ("social", "other", "individual", False)),
    ],
)
def test_type_and_level_are_inferred_by_table(cluster: str, activity: str, inferred: tuple[object, ...]) -> None:
    assert threew.infer(cluster, activity) == inferred


def test_two_clusters_of_one_activity_are_reported() -> None:
    findings = read(row(), row(cluster="Health"))
    assert len(findings.services) == 1
    assert codes(findings) == [(3, "cluster_differs")]


def test_no_cell_text_stands_in_an_issue() -> None:
    secret = "Zzyzx"
    findings = read(
        row(status=secret), row(code=secret), row(cluster=secret, name="", acronym=secret), row(name=f"={secret}")
    )
    assert len(findings.issues) >= 5
    assert not any(secret.casefold() in f"{issue.detail}{issue.path}".casefold() for issue in findings.issues)


def test_the_real_file_of_august_2025() -> None:
    with (reference_data() / "threew" / "3w_august_2025.csv").open("rb") as file:
        findings = threew.read(file)
    assert (findings.rows, findings.empty_rows) == (7324, 4202)
    assert findings.statuses == {"ongoing": 2406, "planned": 56, "completed": 657, "suspended": 3}
    counts = Counter(issue.code for issue in findings.issues)
    assert counts["acronym_only"] == 47
    assert counts["not_current"] == 660
    assert set(counts) == {"acronym_only", "not_current", "unmapped_cluster"}
    assert len(findings.areas) == 349
    assert all(each.areas for each in findings.services.values())
