"""docker-compose.yml and deploy/Dockerfile as tests read them: what would run, with which variables."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ASKED = re.compile(r"\$\{(\w+):\?\}")
"""The one way in which the compose file asks for a variable: it must be set."""
CONTAINERS = {name for name, service in SERVICES.items() if service["image"].startswith("relink:")}
"""The services that run our image."""


def example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions(word: str) -> list[list[str]]:
    """The words of each such instruction of the Dockerfile."""
    return [line.split()[1:] for line in DOCKERFILE.splitlines() if line.startswith(f"{word} ")]


@dataclass(frozen=True)
class Elsewhere:
    """What is not where the compose file says when its commands run outside containers: text → what stands for it."""

    values: dict[str, str]
    places: dict[str, str]

    def text(self, text: object) -> str:
        told = ASKED.sub(lambda asked: self.values[asked[1]], str(text))
        for place, other in self.places.items():
            told = told.replace(place, other)
        return told

    def environment(self, name: str) -> dict[str, str]:
        return {variable: self.text(value) for variable, value in SERVICES[name]["environment"].items()}
