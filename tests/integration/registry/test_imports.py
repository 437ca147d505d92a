import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from services.registry.areas.models import Area
from services.registry.directory.models import Organization, Service
from services.registry.imports import actions, domain, tabular
from services.registry.imports.models import Import, ImportChunk
from tests.integration.registry.conftest import Registry
from tests.support.reference import reference_data
from tests.support.system import at, problem

HEADER = (
    "Activity status,Donor Acronym,Donor Name,Implementing Partner Acronym,Implementing Partner Name,"
    "Implementing Partner Type,Region,Zone,Woreda,WoredaPcod,Cluster,Activity"
)
AREAS = "Location,Admin Level,P-Code,Name,Parent P-Code,Valid from date"


async def submit(
    registry: Registry, content: str | bytes, client_id: str = "registry-manager", **form: Any
) -> httpx.Response:
    data = {"format": "threew"} | form
    raw = content.encode() if isinstance(content, str) else content
    return await registry.ask("POST", client_id, "/imports", data=data, files={"file": ("some name.csv", raw)})


async def done(registry: Registry, content: str | bytes, **form: Any) -> dict[str, Any]:
    """The finished import of this file."""
    answer = await submit(registry, content, **form)
    assert answer.status_code == 202, answer.text
    await registry.work()
    report: dict[str, Any] = (await registry.get("registry-manager", f"/imports/{answer.json()['import_id']}")).json()
    assert report["status"] in ("done", "failed")
    return report


def codes(report: dict[str, Any]) -> Counter[str]:
    return Counter(issue["code"] for issue in report["issues"])


async def count(registry: Registry) -> dict[str, int]:
    async with registry.runtime.sessions() as session:
        tables = (Organization, Service, Area)
        return {
            each.__tablename__: await session.scalar(select(func.count()).select_from(each)) or 0 for each in tables
        }


def row(name: str, activity: str = "Durable water", code: str = "KE0010101", status: str = "On-going") -> str:
    return f"{status},,,{name[:3]},{name},National NGO,R,Z,Somewhere,{code},WASH,{activity}"


async def test_what_is_found_are_leads_that_curators_see_and_nobody_hears_of(registry: Registry) -> None:
    report = await done(
        registry, "\n".join([HEADER, row("Water for Kisumu"), row("Water for Kisumu", code="KE0010102"), ","])
    )
    assert (report["status"], report["rows"], report["empty_rows"]) == ("done", 3, 1)
    assert report["by_kind"] == {
        "areas": {"created": 2, "changed": 0, "unchanged": 0},
        "organizations": {"created": 1, "changed": 0, "unchanged": 0},
        "services": {"created": 1, "changed": 0, "unchanged": 0},
    }
    assert (report["created"], report["changed"], report["unchanged"]) == (4, 0, 0)
    assert codes(report) == {"unknown_area": 2}
    assert await registry.said() == []
    [service] = (await registry.get("registry-manager", "/services", country="KE", state="lead")).json()["items"]
    assert (service["name"], service["areas"]) == ("Durable water", ["KE0010101", "KE0010102"])
    assert service["inferred"] == ["type", "dimension", "level"]
    assert service["places"] is None
    organization = await registry.get("registry-manager", f"/organizations/{service['organization_id']}")
    assert organization.json() | {"lead": True, "kind": "ngo", "country": None} == organization.json()
    for path in (f"/services/{service['service_id']}", f"/organizations/{service['organization_id']}"):
        assert (await registry.get("ng-hub", path)).status_code == 404
    area = (await registry.get("ng-hub", "/areas/KE0010101")).json()
    assert (area["parent"], area["level"], area["provisional"], area["name"]) == ("KE", 3, True, "Somewhere")


async def test_a_lead_becomes_a_published_service(registry: Registry) -> None:
    await done(registry, "\n".join([HEADER, row("Homes for Accra", code="GH0102")]))
    [service] = (await registry.get("registry-manager", "/services", country="GH")).json()["items"]
    path, owner = f"/services/{service['service_id']}", f"/organizations/{service['organization_id']}"
    read = await registry.get("registry-manager", path)
    refused = await registry.post("registry-manager", f"{path}/publish", headers=at(read))
    assert problem(refused)["missing"] == ["organization", "places", "contacts"]
    organization = await registry.get("registry-manager", owner)
    unconfirmed = await registry.post("registry-manager", f"{owner}/confirm", headers=at(organization))
    assert problem(unconfirmed)["missing"] == ["country"]
    organization = await registry.patch("registry-manager", organization, owner, {"country": "GH"})
    assert await registry.said() == []
    await registry.act("registry-manager", organization, f"{owner}/confirm")
    patch = {"contacts": [{"phone": "+233 1"}], "places": {"set_aside": 2}, "type": "housing"}
    edited = await registry.patch("registry-manager", read, path, patch)
    assert edited.json()["inferred"] == ["dimension", "level"]
    published = await registry.act("registry-manager", edited, f"{path}/publish")
    assert (published.json()["state"], published.json()["inferred"]) == ("published", [])
    assert [name for name, _ in await registry.said()] == ["OrganizationChanged", "ServicePublished"]


async def test_a_second_import_changes_nothing_and_overrules_nobody(registry: Registry) -> None:
    first = [row("Seeds of Dakar", "Seeds", "SN0101"), row("Seeds of Dakar", "Tools", "SN0101")]
    await done(registry, "\n".join([HEADER, *first]))
    again = await done(registry, "\n".join([HEADER, *first]))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 4)
    services = (await registry.get("registry-manager", "/services", country="SN")).json()["items"]
    seeds = next(each for each in services if each["name"] == "Seeds")
    read = await registry.get("registry-manager", f"/services/{seeds['service_id']}")
    await registry.patch("registry-manager", read, f"/services/{seeds['service_id']}", {"name": "Seeds and advice"})
    more = [*first, row("Seeds of Dakar", "Seeds", "SN0102"), row("Seeds of Dakar", "Tools", "SN0102")]
    report = await done(registry, "\n".join([HEADER, *more]))
    assert report["by_kind"]["services"] == {"created": 0, "changed": 1, "unchanged": 1}
    assert codes(report)["edited_since"] == 1
    services = (await registry.get("registry-manager", "/services", country="SN")).json()["items"]
    assert {each["name"]: each["areas"] for each in services} == {
        "Seeds and advice": ["SN0101"],
        "Tools": ["SN0101", "SN0102"],
    }


async def test_a_dry_run_says_the_same_and_changes_nothing(registry: Registry) -> None:
    content = "\n".join([HEADER, row("Light for Lomé", code="TG0101"), row("Light of Lomé", code="TG0101")])
    before = await count(registry)
    dry = await done(registry, content, dry_run="true")
    assert await count(registry) == before
    wet = await done(registry, content)
    for name in ("rows", "created", "changed", "unchanged", "by_kind", "issues"):
        assert dry[name] == wet[name]
    assert codes(wet) == {"unknown_area": 1, "possible_duplicate": 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"{HEADER}\n{row('Café')}".encode("latin-1"), "wrong_encoding"),
        (f"{HEADER}\n{row('Café')}".encode("utf-16"), "wrong_encoding"),
        (row("Something"), "no_header"),
        ("", "no_rows"),
        (HEADER, "no_rows"),
        (HEADER.replace("Activity status", "?") + "\n" + row("Something"), "missing_column"),
    ],
)
async def test_a_file_that_cannot_be_used_fails_and_says_why(
    registry: Registry, content: str | bytes, code: str
) -> None:
    before = await count(registry)
    report = await done(registry, content)
    assert (report["status"], report["created"]) == ("failed", 0)
    assert set(codes(report)) == {code}
    assert await count(registry) == before


async def test_too_many_rows_are_refused(registry: Registry) -> None:
    content = HEADER + "\n" + "\n".join([row("Many rows", code="RW0101")] * (tabular.MAX_ROWS + 1))
    report = await done(registry, content)
    assert report["status"] == "failed"
    assert codes(report) == {"too_many_rows": 1}


async def test_a_mapping_names_other_headers(registry: Registry) -> None:
    header = HEADER.replace("Activity status", "Stand").replace("WoredaPcod", "Ort")
    mapping = json.dumps({"status": "Stand", "admin3_code": "Ort"})
    report = await done(registry, "\n".join([header, row("Mapped", code="ML0101")]), mapping=mapping)
    assert report["by_kind"]["services"]["created"] == 1


@pytest.mark.parametrize(
    ("form", "type_", "pointer"),
    [
        ({"mapping": "[1]"}, "unprocessable", "/mapping"),
        ({"mapping": '{"Zzyzx": "x"}'}, "unprocessable", "/mapping"),
        ({"mapping": "{"}, "unprocessable", "/mapping"),
        ({"format": "Zzyzx"}, "unprocessable", "/format"),
        ({"format": "iati"}, "format-not-supported", None),
        ({"format": "hsds"}, "format-not-supported", None),
    ],
)
async def test_a_bad_form_is_refused(registry: Registry, form: dict[str, str], type_: str, pointer: str | None) -> None:
    answer = await submit(registry, HEADER, **form)
    assert answer.status_code == 422
    assert problem(answer)["type"] == f"urn:relink:problem:{type_}"
    assert [each["pointer"] for each in problem(answer).get("errors", [])] == ([pointer] if pointer else [])
    assert "Zzyzx" not in answer.text


async def test_a_file_larger_than_the_limit_is_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MAX_FILE", 1000)
    answer = await submit(registry, "x" * 1001)
    assert answer.status_code == 413
    assert problem(answer)["type"] == "urn:relink:problem:too-large"
    answer = await submit(registry, b"x" * (domain.MAX_FILE + 200_000))
    assert answer.status_code == 413


async def test_only_curators_hand_files_in_and_see_what_became_of_them(registry: Registry) -> None:
    assert (await submit(registry, HEADER, client_id="ng-hub")).status_code == 403
    answer = await submit(registry, HEADER)
    path = f"/imports/{answer.json()['import_id']}"
    assert (await registry.get("ng-hub", path)).status_code == 404
    assert (await registry.get("ng-hub", f"{path}/issues")).status_code == 404
    assert (await registry.get("bootstrap", path)).json()["status"] == "queued"
    await registry.work()


async def test_who_waits_is_woken_when_the_import_is_finished(registry: Registry) -> None:
    answer = await submit(registry, "\n".join([HEADER, row("Patience", code="BF0101")]))
    waiting = asyncio.create_task(registry.get("registry-manager", f"/imports/{answer.json()['import_id']}", wait=30))
    await registry.work()
    async with asyncio.timeout(10):
        assert (await waiting).json()["status"] == "done"


async def test_an_import_that_another_worker_took_over_is_done_once(registry: Registry) -> None:
    answer = await submit(registry, "\n".join([HEADER, row("Once only", code="BJ0101")]))
    await asyncio.gather(registry.work(), registry.work())
    report = (await registry.get("registry-manager", f"/imports/{answer.json()['import_id']}")).json()
    assert (report["status"], report["by_kind"]["services"]["created"], report["version"]) == ("done", 1, 2)


async def test_an_interrupted_import_is_undone_and_done_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await submit(registry, "\n".join([HEADER, row("Second try", code="NE0101")]))
    before = await count(registry)

    async def fail(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(actions, "_keep", fail)
        with pytest.raises(ConnectionResetError):
            await registry.work()
    assert await count(registry) == before
    await registry.work()
    report = (await registry.get("registry-manager", f"/imports/{answer.json()['import_id']}")).json()
    assert (report["status"], report["created"]) == ("done", 3)


async def test_the_file_is_forgotten_when_it_has_been_read(registry: Registry) -> None:
    report = await done(registry, HEADER)
    async with registry.runtime.sessions() as session:
        left = select(func.count()).select_from(ImportChunk).where(ImportChunk.import_id == report["import_id"])
        assert await session.scalar(left) == 0
        kept = await session.get(Import, report["import_id"])
        assert kept is not None
        assert kept.size == len(HEADER)


async def test_a_list_of_areas_is_taken_over_and_settles_what_was_provisional(registry: Registry) -> None:
    await done(
        registry, "\n".join([HEADER, row("Lists of Lusaka", code="ZM010203"), row("Lists of Lusaka", code="ZM0105")])
    )
    rows = ["ZMB,2,ZM0102,Chibombo,ZM01,", "ZMB,1,ZM01,Central,ZMB,", "ZMB,2,ZM0105,Kapiri,ZM01,", "QQQ,1,QQ1,No,QQQ,"]
    orphan = "ZMB,2,ZM0909,Nowhere,ZM09,"
    report = await done(registry, "\n".join([AREAS, *rows, orphan]), format="areas")
    assert report["by_kind"]["areas"] == {"created": 2, "changed": 2, "unchanged": 0}
    assert codes(report) == {"unknown_country": 1, "unknown_parent": 1}
    settled = (await registry.get("ng-hub", "/areas/ZM010203")).json()
    assert (settled["parent"], settled["provisional"]) == ("ZM0102", True)
    known = (await registry.get("ng-hub", "/areas/ZM0105")).json()
    assert (known["parent"], known["provisional"], known["name"], known["level"]) == ("ZM01", False, "Kapiri", 2)
    again = await done(registry, "\n".join([AREAS, *rows]), format="areas")
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 3)


async def test_the_real_files(registry: Registry) -> None:
    folder: Path = reference_data() / "threew"
    areas = await done(registry, (folder / "download-global-pcodes-adm-1-2.csv").read_bytes(), format="areas")
    assert (areas["status"], areas["rows"]) == ("done", 33363)
    assert codes(areas) == {"bad_area_code": 1}
    content = (folder / "3w_august_2025.csv").read_bytes()
    report = await done(registry, content)
    assert (report["status"], report["rows"], report["empty_rows"]) == ("done", 7324, 4202)
    assert report["row_counts"] == {"ongoing": 2406, "planned": 56, "completed": 657, "suspended": 3}
    found = codes(report)
    assert (found["acronym_only"], found["not_current"]) == (47, 660)
    assert found["unknown_area"] == report["by_kind"]["areas"]["created"] == 349
    assert found["unknown_region"] == sum(
        1 for issue in report["issues"] if issue["code"] == "unknown_area" and issue["detail"].endswith("under ET.")
    )
    parents = {
        code: (await registry.get("ng-hub", f"/areas/{code}")).json()["parent"]
        for code in ("ET060207", "ET042202", "ET990101")
    }
    assert parents == {"ET060207": "ET0602", "ET042202": "ET04", "ET990101": "ET"}
    assert report["by_kind"]["organizations"]["created"] > 150
    assert report["by_kind"]["services"]["created"] > 500
    paged, after = 0, None
    path = f"/imports/{report['import_id']}/issues"
    while True:
        query = {"limit": 200} | ({"after": after} if after else {})
        page = (await registry.get("registry-manager", path, **query)).json()
        paged += len(page["items"])
        if (after := page["next"]) is None:
            break
    assert paged == report["issue_count"] == len(report["issues"])
    again = await done(registry, content)
    assert (again["created"], again["changed"]) == (0, 0)
    assert again["unchanged"] == report["created"]
