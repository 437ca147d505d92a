"""Eight processes of a deployment, of which tests may kill and start again single ones.

`deployment.processes.of["referral", "worker"].kill()` is a power cut for one process, `.start()` brings it back, and
`await deployment.processes.ready()` waits until all are ready.
"""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relink.deployment import Deployment, running_deployment

POSTGRESQL: Mapping[str, Any] = {"bus": "postgresql"}


@asynccontextmanager
async def deployed(bus: Mapping[str, Any] = POSTGRESQL) -> AsyncIterator[Deployment]:
    """A deployment on free ports and data of its own. `bus` are the settings of one that runs already."""
    with tempfile.TemporaryDirectory(prefix="relink-test-") as folder:
        async with running_deployment(Path(folder), bus) as deployment:
            yield deployment
