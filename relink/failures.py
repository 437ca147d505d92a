"""What ends a running system although nobody asked for it."""


class PartFailed(RuntimeError):
    """A part of the system has ended by itself, so all of it stops; the text is for the person at the terminal."""
