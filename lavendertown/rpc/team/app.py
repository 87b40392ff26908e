"""The served RPC app: the application's own app, or one with the team's records."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.core.settings import Settings, load_settings
from lavendertown.database.application import Database
from lavendertown.rpc.app import RpcApp
from lavendertown.rpc.bundle import STORAGE_SERVICE, RpcBundle
from lavendertown.rpc.database_actions import database_methods
from lavendertown.rpc.protocol.schema import ServiceSpec
from lavendertown.rpc.team.collaboration_service import build_collaboration_bundle
from lavendertown.rpc.team.records import ConfiguredStore, FindStorage

_NO_DATABASE = (
    "The team's records are kept in plain files, so there is no database to ask. Back the files up on the "
    "server with: lavendertown db backup"
)


def find_app(target: str | None = None, find_storage: FindStorage | None = None) -> RpcApp:
    """Return the app to serve, finalized.

    Args:
        target: The application's own app as ``module:attribute``; the setting ``rpc_app`` by default. If that
            is empty too, the team's records are served.
        find_storage: As in :func:`build_team_app`.

    Raises:
        ConfigurationError: A setting is wrong.
        InvalidInputError: The app cannot be imported.
    """
    target = target or load_settings().rpc_app
    return load_app(target) if target else build_team_app(find_storage)


def build_team_app(find_storage: FindStorage | None = None) -> RpcApp:
    """Return an app with the team's records, and the actions of the database that keeps them.

    Args:
        find_storage: Returns the storage, and is called with each request; the configured one by default.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    app = RpcApp(name="lavendertown")
    app.add_bundle(build_collaboration_bundle(find_storage))
    actions = database_methods(ConfiguredStore(_open_database))
    app.add_bundle(RpcBundle((ServiceSpec(STORAGE_SERVICE, actions),)))
    return app.finalize()


def load_app(target: str) -> RpcApp:
    """Import an application's own RPC app, named as ``module:attribute``, and finalize it.

    Raises:
        InvalidInputError: It cannot be imported, or is no RpcApp.
    """
    module, _, attribute = target.partition(":")
    if not module or not attribute:
        raise InvalidInputError(f"{target!r} names no app; write MODULE:ATTRIBUTE, such as my_app:app.")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except LavenderTownError:
        raise
    except Exception as error:
        raise InvalidInputError(f"{target} cannot be imported ({type(error).__name__}: {error}).") from error
    if not isinstance(found, RpcApp):
        raise InvalidInputError(f"{target} is a {type(found).__name__}; it must be an RpcApp.")
    return found.finalize()


def _open_database(settings: Settings) -> Database:
    if settings.storage_type != "database":
        raise ConnectError(Code.FAILED_PRECONDITION, _NO_DATABASE)
    return Database(settings.database_url)
