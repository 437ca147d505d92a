"""How often a process asks its database and waits: counted on the wire, between the two.

Every message of PostgreSQL's protocol after which a client waits for the server is one round trip: Query, which carries
BEGIN and COMMIT, and Sync or Flush, which end what is sent of a prepared statement (Protocol 3.0, chapter 55.7).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

WAITS = frozenset(b"QSH")
LENGTH = 4


class Wire:
    """A way to the database on which the round trips of all connections are counted."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        assert there.hostname
        assert there.port
        self._there = there.hostname, there.port
        self._url = there
        self.url = ""
        self.count = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Wire"]:
        """Inside, `url` leads to the same database by way of here."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        user, _, _ = self._url.netloc.rpartition("@")
        self.url = self._url._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
        async with server:
            yield self

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._there)
        back = asyncio.create_task(_pass_on(server_reader, writer))
        try:
            while (message := await self._next(reader)) is not None:
                server_writer.write(message)
        finally:
            server_writer.close()
            await back

    async def _next(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next message: a byte for its kind, unless it is one of those that open a connection, length, content."""
        kind = await reader.read(1)
        if not kind:
            return None
        opening = kind == b"\0"
        length = kind + await reader.readexactly(LENGTH - 1) if opening else await reader.readexactly(LENGTH)
        content = await reader.readexactly(int.from_bytes(length, "big") - LENGTH)
        self.count += kind[0] in WAITS
        return length + content if opening else kind + length + content


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
    writer.close()
