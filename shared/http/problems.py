"""Every refusal as `application/problem+json` (RFC 9457), and never a word of what was sent."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from shared import errors, telemetry
from shared.bus.weather import is_transient
from shared.errors import Problem, invalid

log = logging.getLogger(__name__)

BY_STATUS: dict[int, type[Problem]] = {
    400: errors.Malformed,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
}
CODES = {"extra_forbidden": "unknown_field", "unknown_form_field": "unknown_field"}
SPEAKING = {
    "missing", "unknown_field", "enum", "literal_error", "string_too_long", "string_too_short", "too_long", "too_short",
    "string_pattern_mismatch", "greater_than", "greater_than_equal", "less_than", "less_than_equal",
    "bool_type", "int_type", "string_type", "list_type", "dict_type", "model_attributes_type",
    "unknown_country", "unknown_language", "amount",
}  # fmt: skip
"""Validation messages that cannot hold what was sent; all others are told in our own words."""


class Flaw(BaseModel):
    """One thing in a request that cannot be used."""

    pointer: str
    """Where: a JSON Pointer (RFC 6901) into the body, or below `/query`, `/path` or `/header`."""
    detail: str
    code: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details; a problem may have members of its own besides, such as `current` and `allowed`."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str
    """`urn:relink:problem:` and the problem's name."""
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    """The request, as it stands in our logs."""
    errors: list[Flaw] = []
    """With 422: everything that cannot be used."""


def as_response(request: Request, problem: Problem) -> JSONResponse:
    """`instance` names the request (its id in our logs), since the address may hold what must not be echoed."""
    body: dict[str, Any] = {
        "type": f"urn:relink:problem:{problem.slug()}",
        "title": problem.title(),
        "status": problem.status,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if (current := telemetry.request_id.get()) is not None:
        body["instance"] = f"urn:uuid:{current}"
    headers = dict(problem.headers)
    if problem.status == 503:
        headers.setdefault("Retry-After", "1")
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="relink"')
    return JSONResponse(body | problem.extensions, problem.status, headers, "application/problem+json")


def _pointer(location: tuple[int | str, ...], names: set[str], unknown: bool) -> str:
    """The JSON Pointer of a validation error, made of indices and of field names that we know."""
    where, *parts = location
    if unknown:
        parts = parts[:-1]
    safe = [str(part) for part in parts if isinstance(part, int) or part in names]
    return "".join(f"/{part}" for part in ([] if where == "body" else [str(where)]) + safe)


def _field_names(app: FastAPI) -> set[str]:
    if (names := getattr(app.state, "field_names", None)) is None:
        document = app.openapi()
        names = {
            name
            for schema in document.get("components", {}).get("schemas", {}).values()
            for name in schema.get("properties", {})
        }
        names |= {
            p["name"] for path in document["paths"].values() for o in path.values() for p in o.get("parameters", [])
        }
        app.state.field_names = names
    known: set[str] = names
    return known


def from_validation(app: FastAPI, error: RequestValidationError) -> Problem:
    listed = []
    for each in error.errors():
        code = CODES.get(each["type"], each["type"])
        if code == "json_invalid":
            return errors.Malformed("the body is not JSON")
        pointer = _pointer(tuple(each["loc"]) or ("body",), _field_names(app), code == "unknown_field")
        detail = {"unknown_field": "holds a field that is not known here"}.get(code) or (
            each["msg"] if code in SPEAKING else "is not valid here"
        )
        listed.append(invalid(pointer, detail, code))
    return errors.Unprocessable(errors=listed)


def speak_problems(app: FastAPI) -> None:
    """Let every exception that leaves an endpoint of `app` become a problem."""

    @app.exception_handler(Problem)
    async def _(request: Request, error: Problem) -> JSONResponse:
        return as_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        return as_response(request, from_validation(app, error))

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        kind = BY_STATUS.get(error.status_code, errors.Malformed)
        headers = dict(error.headers or {})
        return as_response(request, kind(headers=headers))

    @app.exception_handler(DBAPIError)
    async def _(request: Request, error: DBAPIError) -> JSONResponse:
        if is_transient(error):
            log.warning("database: %s", getattr(error.orig, "sqlstate", None))
            return as_response(request, errors.Unavailable())
        if (getattr(error.orig, "sqlstate", None) or "").startswith("22"):  # data exception: a value no column can hold
            return as_response(request, errors.Unprocessable("a value is outside what can be stored"))
        return internal(request, error)


def internal(request: Request, error: Exception) -> JSONResponse:
    """The answer to what nobody foresaw; the log says where, and nobody else sees the exception."""
    if is_transient(error):
        log.warning("%s while answering", type(error).__name__)
        return as_response(request, errors.Unavailable())
    # The text of the exception may hold data of a person: its class and place are enough to find it.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}" if place else "?"
    log.error("failed: %s at %s", type(error).__name__, where)
    return as_response(request, errors.Internal())


CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ALWAYS: dict[str, type[Problem]] = {
    "401": errors.Unauthenticated,
    "403": errors.Forbidden,
    "422": errors.Unprocessable,
}
"""Refusals that any operation with a scope can answer with, besides those it declares."""


def refusals(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The refusals an endpoint declares, for its OpenAPI description: status → which problems."""
    told: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = told.setdefault(kind.status, {"description": "", "content": CONTENT})
        entry["description"] = "; ".join(filter(None, [entry["description"], f"`{kind.slug()}`: {kind.title()}"]))
    return told


def describe_problems(app: FastAPI) -> None:
    """Let the OpenAPI document of `app` say what refusals really look like, instead of FastAPI's own 422."""
    written_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = written_by_fastapi()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Problem"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schemas["Problem"].pop("$defs", {})
            for operation in (each for path in document["paths"].values() for each in path.values()):
                _correct(operation)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _correct(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    if "security" in operation:
        for status, kind in ALWAYS.items():
            responses.setdefault(status, {"description": f"`{kind.slug()}`: {kind.title()}", "content": CONTENT})
