"""Third-party files that some chapters need: the folder `RELINK_REFERENCE_DATA` names, else `../shared/data`."""

import os
from pathlib import Path

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def reference_data() -> Path | None:
    """The folder, or None where there is none. These files are never part of the project."""
    folder = Path(os.environ.get("RELINK_REFERENCE_DATA") or BESIDE)
    return folder if folder.is_dir() else None
