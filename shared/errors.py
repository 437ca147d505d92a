"""Refusals. The class *is* the problem type (RFC 9457): its name the `type`, its docstring the `title`.

What a person sent never comes back in one: `detail` and the extensions are written by us, from codes, ids and dates.
"""

import re
from typing import Any, ClassVar


class Problem(Exception):
    """The request was refused"""

    status: ClassVar[int] = 400

    def __init__(self, detail: str | None = None, *, headers: dict[str, str] | None = None, **extensions: Any) -> None:
        super().__init__(detail or self.title())
        self.detail = detail
        self.headers = headers or {}
        self.extensions = extensions

    @classmethod
    def slug(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class Malformed(Problem):
    """The request cannot be read"""

    status = 400


class IdempotencyKeyMissing(Problem):
    """This request needs an Idempotency-Key"""

    status = 400


class Unauthenticated(Problem):
    """A valid access token is needed"""

    status = 401


class Forbidden(Problem):
    """The token does not allow this function"""

    status = 403


class NotFound(Problem):
    """There is no such thing here, or it is not yours to see"""

    status = 404


class MethodNotAllowed(Problem):
    """This method is not offered here"""

    status = 405


class Conflict(Problem):
    """The present state does not allow this"""

    status = 409


class TransitionNotAllowed(Conflict):
    """The present state does not allow this action"""

    def __init__(self, current: str, allowed: list[str], detail: str | None = None) -> None:
        super().__init__(detail, current=current, allowed=allowed)


class IdempotencyKeyInUse(Conflict):
    """The first request with this Idempotency-Key is still running"""


class PreconditionFailed(Problem):
    """The resource has changed since it was read"""

    status = 412


class TooLarge(Problem):
    """The request is larger than this address takes"""

    status = 413


class Unprocessable(Problem):
    """Some of what was sent cannot be used"""

    status = 422

    def __init__(self, detail: str | None = None, *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail, errors=errors or [])


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key was used for another request"""

    status = 422


class PreconditionRequired(Problem):
    """Changing this needs If-Match with the version that was read"""

    status = 428


class Internal(Problem):
    """Something failed on our side; nothing was changed"""

    status = 500


class NotCaughtUp(Problem):
    """This service has not heard those events yet"""

    status = 503


class Unavailable(Problem):
    """The service cannot answer just now"""

    status = 503


def invalid(pointer: str, detail: str, code: str) -> dict[str, str]:
    """One entry of a 422's `errors`: where (JSON Pointer, RFC 6901), what in words, what as a code."""
    return {"pointer": pointer, "detail": detail, "code": code}
