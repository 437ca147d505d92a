"""One origin for all services: the first segment of the path says whose request it is."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import NotFound
from shared.http.problems import as_response
from shared.http.request_context import RequestContext

HIDDEN = frozenset({"metrics"})
"""Second segments that only operators reach, each service at its own port."""


class Gateway:
    """`/registry/v1/…` goes to the application named `registry`, with its path as it is."""

    def __init__(self, applications: Mapping[str, ASGIApp]) -> None:
        self._applications = dict(applications)
        self._nowhere = RequestContext(_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        first, _, rest = path.removeprefix("/").partition("/")
        second = rest.partition("/")[0]
        application = None if second in HIDDEN else self._applications.get(first)
        await (application or self._nowhere)(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    response = as_response(Request(scope), NotFound())
    await response(scope, receive, send)
