"""Third-party files for tests, from where the demo finds them too."""

from pathlib import Path

import pytest

from relink import reference_data as folders


def reference_data() -> Path:
    """The folder; skips the test, saying why, where there is none."""
    if (folder := folders.reference_data()) is None:
        pytest.skip("no reference data: set RELINK_REFERENCE_DATA to the folder that holds it")
    return folder
