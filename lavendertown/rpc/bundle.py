"""What an application adds to its RPC server: services over its accessors and its database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.core.errors import ConfigurationError
from lavendertown.database import ModelAccessor
from lavendertown.database.application import current_database
from lavendertown.rpc.database_actions import database_methods
from lavendertown.rpc.model_service import ModelService
from lavendertown.rpc.protocol.schema import MethodSpec, ServiceSpec

STORAGE_SERVICE = "StorageService"


@dataclass(frozen=True)
class RpcBundle:
    """Services that belong together; :meth:`lavendertown.rpc.RpcApp.add_bundle` takes it."""

    services: tuple[ServiceSpec, ...]


def build_storage_bundle(
    *,
    accessors: Sequence[ModelAccessor[Any]],
    max_records_per_model: int | None = 5,
    enable_db_actions: bool = True,
) -> RpcBundle:
    """Return list, get, create, update, delete and restore for each accessor, and the database actions.

    Args:
        accessors: Each serves its model under its component name: ``users`` has ``UsersCreateRecord``, and
            the older name ``Users_CreateRecord``.
        max_records_per_model: The largest number of live records that a model may reach by RPC; None for
            no limit.
        enable_db_actions: Whether health, audit log, export, backup, restore and the schema diagram are
            served too.

    Raises:
        ConfigurationError: The limit is negative, two accessors have the same name, or a model has a column
            that cannot be served.
    """
    if max_records_per_model is not None and max_records_per_model < 0:
        raise ConfigurationError("max_records_per_model is negative; use None for no limit.")
    methods: list[MethodSpec] = []
    names: dict[str, str] = {}
    for accessor in accessors:
        service = ModelService(accessor, max_records_per_model)
        if service.prefix in names:
            raise ConfigurationError(
                f"The components {names[service.prefix]!r} and {service.name!r} have the same name in RPC, "
                f"{service.prefix}; rename one."
            )
        names[service.prefix] = service.name
        methods += service.methods()
    if enable_db_actions:
        find_database = accessors[0].current_database if accessors else current_database
        methods += database_methods(find_database)
    return RpcBundle((ServiceSpec(STORAGE_SERVICE, tuple(methods)),))
