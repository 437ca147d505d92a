"""What a newer description may not take back from an older one: fields only come, requirements on senders only go."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def broken_events(old: Schema, new: Schema) -> Iterator[str]:
    """Readers rely on every field of every event."""
    for name, event in old.items():
        if name not in new:
            yield f"{name} is gone"
            continue
        if (event["subject"], event["key"]) != (new[name]["subject"], new[name]["key"]):
            yield f"{name} is about something else, or kept in order with something else"
        yield from _lost_fields(name, event["data"], new[name]["data"])


def _lost_fields(where: str, old: Schema, new: Schema) -> Iterator[str]:
    definitions: dict[str, tuple[Schema, Schema]] = {"": (old, new)}
    for name, schema in old.get("$defs", {}).items():
        definitions[name] = (schema, new.get("$defs", {}).get(name, {}))
    for part, (before, after) in definitions.items():
        for field, schema in before.get("properties", {}).items():
            now = after.get("properties", {}).get(field)
            if now is None:
                yield f"{where}: {part or 'data'}.{field} is gone"
            elif _type(now) != _type(schema):
                yield f"{where}: {part or 'data'}.{field} changed its type"
        if lost := set(before.get("required", [])) - set(after.get("required", [])):
            yield f"{where}: {sorted(lost)} may now be missing"


def _type(schema: Schema) -> Any:
    """What a reader must be able to read, without the words about it."""
    silent = ("description", "title", "default", "examples")
    return {name: value for name, value in schema.items() if name not in silent}


def broken_operations(old: Schema, new: Schema) -> Iterator[str]:
    """Clients rely on every operation, on its success answer, and on what they may leave out of a request."""
    for path, operations in old["paths"].items():
        for method, operation in operations.items():
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{method.upper()} {path} is gone"
                continue
            here = f"{method.upper()} {path}"
            for status, answer in operation["responses"].items():
                if status.startswith("2") and status not in now["responses"]:
                    yield f"{here} no longer answers {status}"
                elif status.startswith("2"):
                    yield from _lost_answer(here, _schema(answer, old), _schema(now["responses"][status], new))
            yield from _new_demands(here, operation, now, old, new)


def _schema(part: Schema, document: Schema) -> Schema:
    contents: list[Schema] = list(part.get("content", {}).values())
    return _resolved(contents[0].get("schema", {}) if contents else {}, document)


def _resolved(schema: Schema, document: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _lost_answer(here: str, old: Schema, new: Schema) -> Iterator[str]:
    for field in old.get("properties", {}):
        if field not in new.get("properties", {}):
            yield f"{here} no longer answers with {field}"


def _new_demands(here: str, before: Schema, after: Schema, old: Schema, new: Schema) -> Iterator[str]:
    for demanded in _demanded_parameters(after) - _demanded_parameters(before):
        yield f"{here} now demands the parameter {demanded}"
    asked, asks = (_schema(each.get("requestBody", {}), doc) for each, doc in ((before, old), (after, new)))
    for field in set(asks.get("required", [])) - set(asked.get("required", [])):
        yield f"{here} now demands {field}"
    for field in asked.get("properties", {}):
        if field not in asks.get("properties", {}):
            yield f"{here} no longer takes {field}"


def _demanded_parameters(operation: Schema) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", []) if parameter.get("required")}
