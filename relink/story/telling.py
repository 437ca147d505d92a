"""How the demo tells what it does: chapters, sentences, and what a screen would show."""

from collections.abc import Iterable

import typer

from relink.partner import StepFailed


class Teller:
    """Writes to the terminal, and remembers the last sentence for when something breaks."""

    def __init__(self) -> None:
        self.last = "the beginning"

    def chapter(self, title: str) -> None:
        typer.echo(f"\n{title}\n{'─' * len(title)}")
        self.last = title

    def says(self, sentence: str) -> None:
        typer.echo(f"• {sentence}")
        self.last = sentence

    def shows(self, *lines: str) -> None:
        for line in lines:
            typer.echo(f"    {line}")

    def end(self) -> None:
        typer.echo("\nThe story is told; everything it started is stopped, and its data are gone.")


def check(holds: bool, words: str) -> None:
    """The story only tells what it has seen: raises StepFailed unless `holds`."""
    if not holds:
        raise StepFailed(words)


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def plain(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")
