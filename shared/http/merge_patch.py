"""Editing by JSON Merge Patch (RFC 7396): what the patch names is replaced, null removes, all else stays."""

from typing import Annotated, Any, TypeVar

from fastapi import Body
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

MergePatch = Annotated[dict[str, Any], Body(media_type="application/merge-patch+json")]
M = TypeVar("M", bound=BaseModel)


def merge(target: Any, patch: Any) -> Any:
    """The algorithm of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def patched(model: type[M], current: BaseModel, patch: dict[str, Any]) -> M:
    """`current` with `patch` applied, validated as `model`; what does not fit is the same 422 as in a POST."""
    merged = merge(current.model_dump(mode="json", exclude_none=True), patch)
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error
