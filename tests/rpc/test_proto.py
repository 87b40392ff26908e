"""The field numbers that were published are kept for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lavendertown.core.errors import ConfigurationError
from lavendertown.database import ModelAccessor
from lavendertown.rpc import RpcApp, build_storage_bundle
from lavendertown.rpc.protocol.proto_text import (
    Numbers,
    parse_numbers,
    read_numbers,
    render_proto,
    write_proto,
)
from lavendertown.rpc.protocol.schema import FieldSpec, MessageSpec, MethodSpec, ServiceSpec
from lavendertown.rpc.published_proto import PATH, published_numbers, render_published_proto
from tests.rpc.models import RpcUser

PUBLISHED = Path(__file__).with_name("published_numbers.json")


def service(*fields: str, message: str = "Thing") -> list[ServiceSpec]:
    spec = MessageSpec(message, tuple(FieldSpec(name, "string") for name in fields))
    return [ServiceSpec("Things", (MethodSpec("Get", MessageSpec("GetRequest"), spec, None),))]


def test_the_committed_proto_is_what_the_code_says() -> None:
    assert render_published_proto() == PATH.read_text("utf-8"), (
        "run: python -m lavendertown.rpc.published_proto, and add the new fields to published_numbers.json"
    )


def test_no_published_number_has_changed() -> None:
    current = published_numbers()
    for message, numbers in json.loads(PUBLISHED.read_text("utf-8")).items():
        for name, number in numbers.items():
            kept = current.fields.get(message, {}).get(name) == number
            gone = current.reserved.get(message, {}).get(number) == name
            assert kept or gone, f"{message}.{name} was published with the number {number}"


def test_every_published_number_is_recorded() -> None:
    recorded = json.loads(PUBLISHED.read_text("utf-8"))
    assert {name: dict(numbers) for name, numbers in published_numbers().fields.items()} == recorded


def test_new_fields_come_after_the_known_ones_and_removed_ones_stay_reserved() -> None:
    first = Numbers().extended_by([service("a", "b", "c")[0].methods[0].response])
    changed = service("new", "c", "a")
    second = first.extended_by([changed[0].methods[0].response])
    assert second.fields["Thing"] == {"new": 4, "c": 3, "a": 1}
    assert second.reserved["Thing"] == {2: "b"}
    third = second.extended_by([MessageSpec("GetRequest")])
    assert third.fields == {"GetRequest": {}}


def test_the_text_gives_back_the_numbers() -> None:
    services = service("new", "c", "a")
    known = Numbers({"Thing": {"a": 1, "b": 2, "c": 3}})
    numbers = known.extended_by([MessageSpec("GetRequest"), services[0].methods[0].response])
    text = render_proto("Things.", "test.v1", services, numbers)
    assert "  reserved 2; // b\n  string a = 1;\n  string c = 3;\n  string new = 4;\n" in text
    assert parse_numbers(text) == numbers


HEAD = 'syntax = "proto3";\n\npackage a;\n\nimport "google/protobuf/struct.proto";\n\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("message Thing {\n  string a=1;\n}\n", "'  string a=1;'"),
        ("message Thing {\n    string a = 1;\n}\n", "'    string a = 1;'"),
        ("message Thing {\n  reserved 1, 2;\n}\n", "'  reserved 1, 2;'"),
        ("message Thing{\n  string a = 1;\n}\n", "'message Thing{'"),
        ("  string a = 1;\n", "'  string a = 1;'"),
        ("message Thing {\n  string a = 1;\n  string b = 1;\n}\n", "'  string b = 1;'"),
        ("message Thing {\n  string a = 1;\n  string a = 2;\n}\n", "'  string a = 2;'"),
        ("message Thing {\n  reserved 1;\n  string a = 1;\n}\n", "'  string a = 1;'"),
        ("message Thing {\n  string a = 1;\n}\nmessage Thing {\n}\n", "'message Thing {'"),
        ("message Thing {\n<<<<<<< HEAD\n}\n", "'<<<<<<< HEAD'"),
        ("message Thing {\n  string a = 1;\n", "ends too early"),
        ("service Things {\n  string a = 1;\n}\n", "'  string a = 1;'"),
    ],
)
def test_a_file_that_could_lose_numbers_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "app.proto").write_text(HEAD + text)
    with pytest.raises(ConfigurationError, match=r"[Tt]he file app\.proto") as caught:
        read_numbers(tmp_path / "app.proto")
    assert words in str(caught.value)


def test_comments_and_empty_messages_are_read() -> None:
    text = HEAD + "message A {}\n\n// A comment.\nmessage B {\n  // b\n  string b = 2; // b\n}\n"
    assert parse_numbers(text).fields == {"A": {}, "B": {"b": 2}}


def test_a_proto_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "app.proto"
    write_proto(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_proto(path, "after" * 100_000 + "\ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_applications_numbers_are_kept_by_its_own_file(tmp_path: Path) -> None:
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(RpcUser, "users")]))
    app.finalize().write_proto(tmp_path / "app.proto")
    text = (tmp_path / "app.proto").read_text()
    assert "optional string email = 3;" in text
    (tmp_path / "app.proto").write_text(text.replace("optional string email = 3;", "string email = 9;"))
    again = RpcApp(proto_file=tmp_path / "app.proto")
    again.add_bundle(build_storage_bundle(accessors=[ModelAccessor(RpcUser, "users")]))
    assert "optional string email = 9;" in again.finalize().proto
    missing = RpcApp(proto_file=tmp_path / "none.proto")
    missing.add_bundle(build_storage_bundle(accessors=[]))
    with pytest.raises(ConfigurationError, match="frozen field numbers cannot be read"):
        missing.finalize()
