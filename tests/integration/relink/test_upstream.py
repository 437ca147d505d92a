"""The gateway in front of a service at an address of its own: everything streams through, and nothing is made up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from relink.gateway import Gateway
from relink.ports import bound, free_port
from relink.serving import HOST, serving
from relink.upstream import behind

HALF = b"x" * 3_000_000


class Service:
    """Answers as its path says, and tells what it was sent."""

    def __init__(self) -> None:
        self.first_part_came = asyncio.Event()
        self.first_part_read = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        match scope["path"].rpartition("/")[2]:
            case "upload":
                size = 0
                async for part in request.stream():
                    size += len(part)
                    self.first_part_came.set()
                await JSONResponse({"size": size}, 201)(scope, receive, send)
            case "download":
                await StreamingResponse(self._two_parts())(scope, receive, send)
            case "broken":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
                await send({"type": "http.response.body", "body": b"half", "more_body": True})
            case _:
                told = {"target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(), "method": request.method}
                headers = {"ETag": '"3"', "Connection": "close, X-Only-Here", "X-Only-Here": "1", "Link": "<a>"}
                await JSONResponse(told | {"headers": dict(request.headers)}, 203, headers)(scope, receive, send)

    async def _two_parts(self) -> AsyncIterator[bytes]:
        yield HALF
        await self.first_part_read.wait()
        yield HALF


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    with bound(HOST, 0) as listener:
        async with serving(app, listener):
            yield f"http://{HOST}:{listener.getsockname()[1]}"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def gateway(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway; behind it `registry` answers and `referral` is away."""
    async with (
        listening(service) as address,
        behind({"registry": address, "referral": f"http://{HOST}:{free_port()}"}) as services,
        listening(Gateway(services)) as origin,
        httpx.AsyncClient(base_url=origin, timeout=60) as client,
    ):
        yield client


async def test_method_target_and_headers_arrive_as_they_were_sent(gateway: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer a.b.c", "Idempotency-Key": "k", "Connection": "close, X-Hop", "X-Hop": "1"}
    response = await gateway.request("PATCH", "/registry/v1/a%2Fb/%C3%A9?after=a%2Bb&limit=2", headers=headers)
    told = response.json()
    assert (told["method"], told["target"]) == ("PATCH", "/registry/v1/a%2Fb/%C3%A9?after=a%2Bb&limit=2")
    assert (told["headers"]["authorization"], told["headers"]["idempotency-key"]) == ("Bearer a.b.c", "k")
    assert told["headers"]["host"] == gateway.base_url.netloc.decode()
    assert "x-hop" not in told["headers"]


async def test_the_answer_comes_back_with_its_status_and_headers_but_those_of_the_connection(
    gateway: httpx.AsyncClient,
) -> None:
    response = await gateway.get("/registry/v1")
    assert (response.status_code, response.headers["etag"], response.headers["link"]) == (203, '"3"', "<a>")
    assert "x-only-here" not in response.headers
    assert "connection" not in response.headers


async def test_a_large_body_streams_through_before_it_is_whole(gateway: httpx.AsyncClient, service: Service) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield HALF
        async with asyncio.timeout(60):
            await service.first_part_came.wait()  # never, if the gateway waited for the rest
        yield HALF

    response = await gateway.post("/registry/upload", content=parts())
    assert (response.status_code, response.json()) == (201, {"size": 2 * len(HALF)})


async def test_a_large_answer_streams_through_before_it_is_whole(gateway: httpx.AsyncClient, service: Service) -> None:
    read = 0
    async with gateway.stream("GET", "/registry/download") as response:
        async for part in response.aiter_bytes():
            read += len(part)
            service.first_part_read.set()
    assert read == 2 * len(HALF)


async def test_a_service_that_is_away_is_a_problem_that_says_when_to_come_again(gateway: httpx.AsyncClient) -> None:
    response = await gateway.get("/referral/v1/cases")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["type"] == "urn:relink:problem:service-away"
    assert "detail" not in response.json()


async def test_where_a_service_dies_over_a_request_the_caller_learns_that_it_may_have_been_done() -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    dying = await asyncio.start_server(die, HOST, 0)
    port = dying.sockets[0].getsockname()[1]
    async with (
        dying,
        behind({"referral": f"http://{HOST}:{port}"}) as services,
        listening(Gateway(services)) as origin,
        httpx.AsyncClient(base_url=origin) as client,
    ):
        response = await client.post("/referral/v1/cases", json={})
    assert response.status_code == 503
    assert "same Idempotency-Key" in response.json()["detail"]


async def test_half_an_answer_is_not_taken_for_a_whole_one(gateway: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.get("/registry/broken")


async def test_a_path_that_climbs_is_not_resolved_on_the_way(gateway: httpx.AsyncClient) -> None:
    """Resolved, it would lead to what the gateway hides."""
    target = b"/registry/x/../metrics"
    reader, writer = await asyncio.open_connection(HOST, gateway.base_url.port)
    writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert target + b"?" in answer
    assert (await gateway.get("/registry/%6Detrics")).status_code == 404


async def test_another_name_for_this_machine_gets_nothing(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/registry/v1", headers={"Host": "relink.example"})).status_code == 400
