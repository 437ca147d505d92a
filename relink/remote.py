"""A running Relink as the command line sees it: over HTTP, as one demo client."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

UNFINISHED = frozenset({"queued", "running"})
PAUSE = 0.3
"""Seconds between two looks at an import that is still being read."""


class Refused(Exception):
    """Relink did not answer, or not as hoped; the text is for the person at the terminal."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do: counts, and a line for everything that could not be used."""

    answer: dict[str, Any]

    @property
    def failed(self) -> bool:
        return self.answer.get("status") == "failed"

    def lines(self) -> Iterator[str]:
        """The counts, then the issues by row."""
        yield f"{self.answer['status']}{' (dry run: nothing was changed)' if self.answer.get('dry_run') else ''}"
        for what in ("created", "changed", "unchanged"):
            yield f"  {what:10} {_count(self.answer.get(what))}"
        issues = self.answer.get("issues", [])
        yield f"  {'issues':10} {len(issues)}"
        for issue in issues:
            row = f"row {issue['row']}" if issue.get("row") is not None else "file"
            yield f"{row:>10}  {issue['code']:24} {issue.get('path') or ''}  {issue['detail']}"


def _count(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in value.items()) or "0"
    return str(value)


class Remote:
    """One demo client's view of the Relink at `origin`."""

    def __init__(self, origin: str, client_id: str) -> None:
        self._http = httpx.Client(base_url=origin, timeout=60)
        self._origin = origin
        self._client_id = client_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def token(self) -> str:
        """An access token. Raises Refused."""
        form = {"grant_type": "client_credentials", "client_id": self._client_id}
        return str(self._ask("POST", "/dev/token", data=form)["access_token"])

    def import_file(self, file: Path, kind: str, *, dry_run: bool, mapping: Path | None) -> ImportReport:
        """The finished import. Raises Refused."""
        fields = {"format": kind, "dry_run": str(dry_run).lower()}
        if mapping is not None:
            fields["mapping"] = mapping.read_text(encoding="utf-8")
        headers = {"Authorization": f"Bearer {self.token()}"}
        with file.open("rb") as content:
            files = {"file": (file.name, content)}
            accepted = self._ask("POST", "/registry/v1/imports", data=fields, files=files, headers=headers)
        while True:
            answer = self._ask("GET", f"/registry/v1/imports/{accepted['import_id']}", headers=headers)
            if answer["status"] not in UNFINISHED:
                return ImportReport(answer)
            time.sleep(PAUSE)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Refused(f"No Relink answers at {self._origin}: start one with `relink run`.") from error
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            raise Refused(f"What answers at {self._origin} is no Relink.") from error
        if response.is_error:
            raise Refused(_in_words(answer))
        return answer


def _in_words(problem: dict[str, Any]) -> str:
    """A problem (RFC 9457) or an OAuth error, as lines for a terminal."""
    lines = [": ".join(filter(None, [problem.get("title") or problem.get("error"), problem.get("detail")]))]
    lines += [f"  {each['pointer'] or '/'}: {each['detail']}" for each in problem.get("errors", [])]
    return "\n".join(lines)
