"""The codec against the published vectors of the Kafka binding, and against itself."""

import base64
import json
from datetime import UTC, datetime

import pytest

from shared.bus.envelope import NotACloudEvent, read, to_message
from shared.bus.interface import Message
from shared.ids import new_id
from tests.support.reference import reference_data

GOOD = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"01JZ"),
    ("ce_type", b"relink.referral.ReferralCreated"),
    ("ce_source", b"/referral"),
    ("ce_subject", b"0b0d7c0e"),
    ("ce_time", b"2026-01-05T10:00:00Z"),
    ("content-type", b"application/json"),
]


def without(name: str) -> list[tuple[str, bytes]]:
    return [pair for pair in GOOD if pair[0] != name]


def message(headers: list[tuple[str, bytes]], value: bytes | None = b'{"a": 1}') -> Message:
    return Message("relink.referral", b"key", value, list(headers))


def test_an_event_comes_back_as_it_was_written() -> None:
    event_id, subject, key = new_id(), new_id(), new_id()
    occurred_at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    sent = to_message(
        "relink.referral",
        event_id=event_id,
        type_name="relink.referral.ReferralCreated",
        subject=subject,
        key=key,
        version=3,
        occurred_at=occurred_at,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        data='{"version": 3}',
    )
    envelope = read(sent)
    assert sent.key == str(key).encode() == envelope.partitionkey.encode()
    assert (envelope.event_id, envelope.subject, envelope.source) == (event_id, str(subject), "/referral")
    assert (envelope.time, envelope.aggregateversion, envelope.data) == (occurred_at, 3, {"version": 3})


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_specversion"])
def test_a_missing_attribute_is_never_invented(name: str) -> None:
    with pytest.raises(NotACloudEvent):
        read(message(without(name)))


@pytest.mark.parametrize("value", [None, b"", b"{bad}", b"not json", b"[1]", b"1", b"\xff\xfe", b"[" * 100_000])
def test_data_that_is_no_json_object_is_refused(value: bytes | None) -> None:
    with pytest.raises(NotACloudEvent):
        read(message(GOOD, value))


def test_another_specversion_is_refused() -> None:
    with pytest.raises(NotACloudEvent):
        read(message([("ce_specversion", b"9.9"), *without("ce_specversion")]))


def test_headers_that_are_nobodys_business_do_no_harm() -> None:
    headers = [*GOOD, ("x-bin", b"\xff\xfe")]
    with_null = Message("relink.referral", b"key", b"{}", [*headers, ("x-null", None)])
    assert read(with_null).id == "01JZ"


def test_content_type_decides_the_mode_whatever_other_headers_say() -> None:
    envelope = {"specversion": "1.0", "id": "inner", "type": "t", "source": "/s", "time": "2026-01-05T10:00:00Z"}
    value = json.dumps(envelope | {"data": {"b": 2}}).encode()
    read_back = read(message([*without("content-type"), ("Content-Type", b"application/CloudEvents+json")], value))
    assert (read_back.id, read_back.data) == ("inner", {"b": 2})


def test_the_reference_vectors_are_read_as_they_say() -> None:
    vectors = json.loads((reference_data() / "vectors" / "cloudevents_kafka.json").read_text())["vectors"]
    assert len(vectors) == 14
    for vector in vectors:
        headers = [(name, None if value is None else base64.b64decode(value)) for name, value in vector["headers"]]
        value = None if vector["value"] is None else base64.b64decode(vector["value"])
        given = Message("t", b"k", value, headers)
        if vector["expect"].startswith("dead-letter"):
            with pytest.raises(NotACloudEvent):
                read(given)
        elif vector["expect"].startswith("event ") or vector["expect"] == "event":
            assert read(given).data == {"referral_id": "0b0d7c0e", "status": "accepted"}, vector["name"]
        else:
            try:
                read(given)
            except NotACloudEvent:
                continue
