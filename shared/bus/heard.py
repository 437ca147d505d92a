"""Opening a message as far as somebody listens to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from shared.bus.envelope import NotACloudEvent, head
from shared.bus.interface import Message
from shared.events import Event


@dataclass(slots=True)
class Heard:
    """A message that was opened."""

    message: Message
    event_id: UUID | None = None
    """None where no id can be read."""
    event: Event | None = None
    """None where it is not for us, or newer than we are: readers ignore types that they do not know."""
    traceparent: str | None = None
    unreadable: NotACloudEvent | None = None

    def readable(self) -> UUID:
        """The event's id; raises NotACloudEvent where the message is none."""
        if self.event_id is None or self.unreadable is not None:
            raise self.unreadable or NotACloudEvent("no id")
        return self.event_id


def opened(message: Message, events: Mapping[str, type[Event]]) -> Heard:
    """The message, read as far as `events` (by type) know it: the data of a type that nobody here hears stay closed."""
    heard = Heard(message)
    try:
        envelope = head(message)
        heard.event_id, heard.traceparent = envelope.event_id, envelope.traceparent
        if (event_class := events.get(envelope.type)) is not None:
            heard.event = _event(event_class, envelope.data)
    except NotACloudEvent as error:
        heard.unreadable = error
    return heard


def _event(event_class: type[Event], data: bytes) -> Event:
    try:
        return event_class.model_validate_json(data)
    except ValidationError as error:
        raise NotACloudEvent("data does not fit the event's class") from error
