"""What the documents say, done as they say it."""

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from relink import demo_data
from relink.system import running_system
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


async def test_the_first_referral_of_the_integration_guide_is_sent(tmp_path: Path) -> None:
    pieces = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "integration.md").read_text(), re.DOTALL)
    program = tmp_path / "first_referral.py"
    program.write_text("\n".join(pieces))
    with tempfile.TemporaryDirectory(prefix="relink-test-") as data:
        async with running_system(Path(data), port=0) as system:
            await demo_data.enter(system)
            await demo_data.enter(system)  # as after a restart: nothing changes
            done = await _run(program, system.origin)
    assert done.returncode == 0, done.stderr
    assert "201 submitted" in done.stdout
    assert done.stdout.strip().endswith("['ReferralCreated', 'ReferralCancelled']")


async def _run(program: Path, origin: str) -> subprocess.CompletedProcess[str]:

    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(program)],
        env={"RELINK_ORIGIN": origin},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
            assert target.startswith("http") or (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_variable_that_operators_are_told_of_is_one_the_code_reads() -> None:
    told = "".join((ROOT / "docs" / name).read_text() for name in ("runbook.md", "deployment.md"))
    named = set(re.findall(r"RELINK_(?:<SERVICE>_)?([A-Z_]+)", told))
    known = {name.upper() for name in Settings.model_fields}
    known |= {"DATA", "REFERENCE_DATA", "GATEWAY_HOST", "GATEWAY_PORT"}
    assert named - known == set()
