"""The ports this process listens on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


class PortInUse(RuntimeError):
    """Something else listens on the port."""


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the port but not listening yet, so that a taken port is said before anything is started."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortInUse(f"Port {port} is taken: choose another with --port") from error
        yield listener


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    with ExitStack() as held:
        return [held.enter_context(bound("127.0.0.1", 0)).getsockname()[1] for _ in range(count)]
