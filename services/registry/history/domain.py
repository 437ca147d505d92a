"""What differs between two states of a resource, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

Told = Mapping[str, Any]


def differences(before: Told, after: Told, within: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Field, what it was, what it is, in the order of `after`. An object named in `within` is compared by its own
    fields, told as `object.field`."""
    for name, value in after.items():
        was = before.get(name)
        if was == value:
            continue
        if name in within:
            yield from ((f"{name}.{field}", one, other) for field, one, other in differences(was or {}, value or {}))
        else:
            yield name, was, value
