from typing import Any

import httpx
import pytest

from services.registry.documents import domain
from shared.ids import new_id
from tests.integration.registry.conftest import Registry
from tests.integration.registry.test_agreements import body, signed
from tests.support.system import problem

PDF = "application/pdf"


def paper(words: str = "") -> bytes:
    return b"%PDF-1.7\n" + (words or new_id().hex).encode()


async def attach(
    registry: Registry, client_id: str, path: str, content: bytes, media_type: str = PDF, **told: Any
) -> httpx.Response:
    files = {"file": ("sop.pdf", content, media_type)}
    data = {"kind": "sop", "title": "SOP of the hub"} | told
    return await registry.ask("POST", client_id, f"{path}/documents", files=files, data=data)


async def draft(registry: Registry) -> str:
    made = await registry.make("be-return", "/agreements", body())
    return f"/agreements/{made.json()['agreement_id']}"


async def test_what_a_party_attaches_the_others_read_byte_for_byte(registry: Registry) -> None:
    path, _ = await signed(registry)
    content = paper()
    made = await attach(registry, "ng-hub", path, content, language="eng")
    assert made.status_code == 201, made.text
    one = f"{path}/documents/{made.json()['document_id']}"
    for client_id in ("be-return", "ng-hub", "registry-manager"):
        read = await registry.get(client_id, f"{one}/content")
        assert (read.content, read.headers["content-type"]) == (content, PDF)
        assert read.headers["content-disposition"] == "attachment"
        listed = (await registry.get(client_id, f"{path}/documents")).json()["items"]
        assert listed == [made.json()] == [(await registry.get(client_id, one)).json()]
    assert made.json()["size"] == len(content)


async def test_strangers_see_nothing_of_it_and_attach_nothing(registry: Registry) -> None:
    path, _ = await signed(registry)
    made = await attach(registry, "ng-hub", path, paper())
    one = f"{path}/documents/{made.json()['document_id']}"
    for address in (f"{path}/documents", one, f"{one}/content"):
        assert (await registry.get("ng-provider", address)).status_code == 404
        assert (await registry.get(None, address)).status_code == 401
    assert (await attach(registry, "ng-provider", path, paper())).status_code == 404
    assert (await attach(registry, "registry-manager", path, paper())).status_code == 403, "a curator is no party"
    other = await draft(registry)
    assert (await registry.get("ng-hub", f"{other}/documents/{made.json()['document_id']}")).status_code == 404


async def test_it_is_taken_back_by_who_attached_it_until_all_have_signed(registry: Registry) -> None:
    path = await draft(registry)
    made = await attach(registry, "be-return", path, paper())
    one = f"{path}/documents/{made.json()['document_id']}"
    assert (await registry.ask("DELETE", "ng-hub", one)).status_code == 403
    assert (await registry.ask("DELETE", "be-return", one)).status_code == 204
    assert (await registry.get("be-return", one)).status_code == 404
    path, _ = await signed(registry)
    made = await attach(registry, "be-return", path, paper())
    kept = await registry.ask("DELETE", "be-return", f"{path}/documents/{made.json()['document_id']}")
    assert problem(kept)["type"] == "urn:relink:problem:agreement-is-signed"


@pytest.mark.parametrize(
    ("content", "media_type", "told", "status", "kind"),
    [
        (paper(), "text/html", {}, 415, "media-type-not-supported"),
        (b"<script>", PDF, {}, 415, "media-type-not-supported"),
        (b"", PDF, {}, 415, "media-type-not-supported"),
        (b"%PDF-" + bytes(domain.MAX_FILE), PDF, {}, 413, "too-large"),
        (paper(), PDF, {"kind": "poem"}, 422, "unprocessable"),
        (paper(), PDF, {"title": ""}, 422, "unprocessable"),
        (paper(), PDF, {"language": "english"}, 422, "unprocessable"),
    ],
)
async def test_what_is_no_document_is_refused(
    registry: Registry, content: bytes, media_type: str, told: dict[str, str], status: int, kind: str
) -> None:
    path = await draft(registry)
    answer = await attach(registry, "be-return", path, content, media_type, **told)
    assert (answer.status_code, problem(answer)["type"]) == (status, f"urn:relink:problem:{kind}")
    assert (await registry.get("be-return", f"{path}/documents")).json()["items"] == []


async def test_the_same_document_twice_and_one_too_many(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await draft(registry)
    content = paper()
    assert (await attach(registry, "be-return", path, content)).status_code == 201
    again = await attach(registry, "ng-hub", path, content)
    assert problem(again)["type"] == "urn:relink:problem:document-attached"
    monkeypatch.setattr(domain, "MAX_DOCUMENTS", 1)
    more = await attach(registry, "be-return", path, paper())
    assert problem(more)["type"] == "urn:relink:problem:too-many-documents"
