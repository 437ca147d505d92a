"""A running Relink as the command line sees it: over HTTP, as one demo client."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

UNFINISHED = frozenset({"queued", "running"})
WAIT = 20
"""Seconds that one look at an import waits for it to finish."""


class Refused(Exception):
    """Relink did not answer, or not as hoped; the text is for the person at the terminal."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do: counts, and a line for everything that could not be used."""

    answer: dict[str, Any]
    issues: list[dict[str, Any]]

    @property
    def failed(self) -> bool:
        return self.answer.get("status") == "failed"

    def lines(self) -> Iterator[str]:
        """The counts, then the issues by row."""
        answer = self.answer
        yield f"{answer['status']}{' (dry run: nothing was changed)' if answer['dry_run'] else ''}"
        yield f"  rows       {answer['rows']}, and {answer['empty_rows']} empty"
        for what in ("created", "changed", "unchanged"):
            kinds = [f"{counts[what]} {kind}" for kind, counts in answer["by_kind"].items() if counts[what]]
            yield f"  {what:10} {answer[what]}{': ' if kinds else ''}{', '.join(kinds)}"
        yield f"  issues     {answer['issue_count']}"
        for issue in self.issues:
            row = f"row {issue['row']}" if issue["row"] is not None else "file"
            yield f"{row:>10}  {issue['code']:24} {issue['path']}  {issue['detail']}"


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
        address = f"/registry/v1/imports/{accepted['import_id']}"
        while (answer := self._ask("GET", address, params={"wait": WAIT}, headers=headers))["status"] in UNFINISHED:
            continue
        return ImportReport(answer, list(self._all(f"{address}/issues", headers)))

    def _all(self, address: str, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Every item of a paged list."""
        query: dict[str, Any] = {"limit": 200}
        while True:
            page = self._ask("GET", address, params=query, headers=headers)
            yield from page["items"]
            if page["next"] is None:
                return
            query["after"] = page["next"]

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
