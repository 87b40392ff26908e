"""Protobuf descriptors, built at run time from a service's parts: no generated code, any protobuf version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)

from lavendertown.core.errors import ConfigurationError
from lavendertown.rpc.protocol.proto_text import Numbers
from lavendertown.rpc.protocol.schema import WELL_KNOWN, MessageSpec, ServiceSpec, json_name, merge_messages

PACKAGE = "lavendertown.v1"
FILE_NAME = "lavendertown/v1/services.proto"
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


class MessageClasses:
    """The message classes of a described file.

    Args:
        file: The description, such as :func:`describe_services` makes it.

    Raises:
        ConfigurationError: Protobuf refuses the description.
    """

    def __init__(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self.file = file
        self._pool = descriptor_pool.DescriptorPool()
        for well_known in (struct_pb2, timestamp_pb2):
            self._pool.AddSerializedFile(well_known.DESCRIPTOR.serialized_pb)
        try:
            self._pool.AddSerializedFile(file.SerializeToString())
        except TypeError as error:
            raise ConfigurationError(f"The RPC services cannot be described in protobuf: {error}.") from error

    def find_class(self, name: str) -> Any:
        """Return the class of a message, named with or without its package."""
        full = name if "." in name else f"{self.file.package}.{name}"
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(full))


def describe_services(
    services: Sequence[ServiceSpec], numbers: Numbers
) -> descriptor_pb2.FileDescriptorProto:
    """Return the protobuf description of services.

    Args:
        services: The services.
        numbers: The number of each field.

    Raises:
        ConfigurationError: A name cannot be used, or two messages have the same one.
    """
    file = descriptor_pb2.FileDescriptorProto(name=FILE_NAME, package=PACKAGE, syntax="proto3")
    for well_known in (struct_pb2, timestamp_pb2):
        file.dependency.append(well_known.DESCRIPTOR.name)
    for message in merge_messages(services).values():
        _add_message(file, message, numbers.fields[message.name])
    for service in services:
        made = file.service.add(name=service.name)
        for each in service.methods:
            method = made.method.add(
                name=each.name,
                input_type=f".{PACKAGE}.{each.request.name}",
                output_type=f".{PACKAGE}.{each.response.name}",
                server_streaming=each.is_stream,
            )
            if each.is_read and not each.is_stream:
                method.options.idempotency_level = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    return file


def _add_message(
    file: descriptor_pb2.FileDescriptorProto, spec: MessageSpec, numbers: Mapping[str, int]
) -> None:
    message = file.message_type.add(name=spec.name)
    for each in spec.fields:
        label = _Field.LABEL_REPEATED if each.repeated else _Field.LABEL_OPTIONAL
        made = message.field.add(
            name=each.name, number=numbers[each.name], label=label, json_name=json_name(each.name)
        )
        if each.type in _SCALARS:
            made.type = _SCALARS[each.type]
            if each.optional and not each.repeated:
                made.proto3_optional = True
                made.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{each.name}")
        else:
            made.type = _Field.TYPE_MESSAGE
            made.type_name = f".{WELL_KNOWN.get(each.type) or f'{PACKAGE}.{each.type}'}"
