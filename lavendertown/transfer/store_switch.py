"""Switch the store in use by changing ``config.toml`` in the data folder, and switch back."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import ConfigurationError, NotFoundError
from lavendertown.core.settings import (
    DATA_FOLDER_CONFIG,
    PROJECT_CONFIG,
    VARIABLE_PREFIX,
    Settings,
    load_settings,
    read_other_settings,
    read_settings_file,
)
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.locations import StoreLocation, open_store, parse_location
from lavendertown.transfer.migrator import migrate_later_changes
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest

PREVIOUS_CONFIG = "config.before.toml"
# config.toml overrides config.yaml.
_CHANGEABLE_ORIGINS = (DATA_FOLDER_CONFIG, PROJECT_CONFIG, "the default")


def current_location(settings: Settings) -> StoreLocation:
    """Return the location of the store in use."""
    return parse_location(current_address(settings))


def current_address(settings: Settings) -> str:
    """Return the folder or URL of the store in use, password included."""
    return str(settings.data_dir) if settings.storage_type == "file" else settings.database_url


def find_blocking_setting(settings: Settings, target: str | None = None) -> str | None:
    """Return which setting must be changed by hand before the store can be switched; None if none.

    Args:
        settings: The current settings.
        target: The folder or URL to switch to; None if it is not known yet.
    """
    target_location = parse_location(target) if target else None
    if (
        target_location is not None
        and target_location.folder is not None
        and not _is_data_folder(target_location, settings)
    ):
        return (
            f"To use {target_location.display_name}, set {VARIABLE_PREFIX}DATA_DIR={target_location.folder} "
            "in the environment or in .env and restart. This screen changes settings in the data folder only."
        )
    for key, value in _required_settings(target_location).items():
        origin = settings.origins[key]
        if origin not in _CHANGEABLE_ORIGINS:
            name = VARIABLE_PREFIX + key.upper() if origin in ("the environment", ".env") else key
            return (
                f"{origin[:1].upper() + origin[1:]} sets {name}, which overrides {DATA_FOLDER_CONFIG}. "
                f"Change it there to {value}, and restart."
            )
    return None


def _required_settings(target_location: StoreLocation | None) -> dict[str, str]:
    """Return the required value of each setting, described without passwords."""
    if target_location is None:
        return {"storage_type": "the other store's kind", "database_url": "the other store's URL"}
    if target_location.folder is not None:
        return {"storage_type": "file"}
    return {"storage_type": "database", "database_url": f"the URL of {target_location.display_name}"}


def switch_store(settings: Settings, request: MigrationRequest, outcome: MigrationOutcome) -> str:
    """Make the target of a finished migration the store in use; return a message for users.

    If the source is the store in use, writing to it is blocked during the switch. Changes made to it since
    the migration are copied, and later writes to it are refused with a request to reload.

    Raises:
        ConfigurationError: The store is set elsewhere than in ``config.toml``.
        StorageError: One of the stores does not respond; nothing was switched.
    """
    blocking = find_blocking_setting(settings, request.target)
    if blocking is not None:
        raise ConfigurationError(blocking)
    source, target = parse_location(request.source), parse_location(request.target)
    copied = 0
    with ExitStack() as stack:
        if source.canonical_address == current_location(settings).canonical_address:
            copied = migrate_later_changes(request, outcome)
            store = open_store(source)
            stack.callback(store.close)
            stack.enter_context(store.block_writes())
            copied += migrate_later_changes(request, outcome)
        _write_config(settings, target)
    changes = "One change" if copied == 1 else f"{copied:,} changes"
    suffix = (
        f" {changes} made since the migration {'was' if copied == 1 else 'were'} copied." if copied else ""
    )
    return f"The team's records are now in {target.display_name}.{suffix}"


def describe_previous_store(settings: Settings) -> str | None:
    """Return the name of the store in use before the last switch; None if there was no switch."""
    previous = _previous_settings(settings)
    return current_location(previous).display_name if previous is not None else None


def previous_address(settings: Settings) -> str | None:
    """Return the folder or URL of the store in use before the last switch, for a migration back."""
    previous = _previous_settings(settings)
    return current_address(previous) if previous is not None else None


def switch_back(settings: Settings) -> str:
    """Switch back to the store in use before the last switch; return a message for users.

    Changes made since the switch are not copied; see :func:`count_changes_since_switch`.

    Raises:
        NotFoundError: There was no switch.
        StorageError: The previous store does not respond; nothing was switched.
    """
    previous = _previous_settings(settings)
    if previous is None:
        raise NotFoundError(
            "The store was not switched here, so there is no previous store. Migrate to the store instead."
        )
    get_storage_backend(previous).close()
    (settings.data_dir / PREVIOUS_CONFIG).replace(settings.data_dir / DATA_FOLDER_CONFIG)
    return f"The team's records are in {current_location(previous).display_name} again."


def count_changes_since_switch(settings: Settings) -> int:
    """Return the number of changes made to the store in use since the last switch."""
    try:
        switched_at = (settings.data_dir / DATA_FOLDER_CONFIG).stat().st_mtime
    except FileNotFoundError:
        return 0
    store = open_store(current_location(settings))
    try:
        since = dt.datetime.fromtimestamp(switched_at, clock.UTC)
        return store.count(AuditQuery(since=since, component=tuple(RecordKind)))
    finally:
        store.close()


def _previous_settings(settings: Settings) -> Settings | None:
    path = settings.data_dir / PREVIOUS_CONFIG
    if not path.is_file():
        return None
    saved = read_settings_file(path)
    database = f"sqlite:///{settings.data_dir / 'lavendertown.db'}"
    return Settings(
        saved.get("storage_type", "file"), saved.get("database_url", database), settings.data_dir, {}
    )


def _write_config(settings: Settings, target: StoreLocation) -> None:
    """Write ``config.toml``, and keep the current settings in :data:`PREVIOUS_CONFIG`."""
    kind = "file" if target.folder is not None else "database"
    others = read_other_settings(settings.data_dir / DATA_FOLDER_CONFIG)
    _write_settings_file(
        settings.data_dir / PREVIOUS_CONFIG, settings.storage_type, settings.database_url, others
    )
    _write_settings_file(
        settings.data_dir / DATA_FOLDER_CONFIG, kind, target.url or settings.database_url, others
    )
    reloaded = load_settings(settings.root)
    if current_location(reloaded).canonical_address != target.canonical_address:
        (settings.data_dir / PREVIOUS_CONFIG).replace(settings.data_dir / DATA_FOLDER_CONFIG)
        raise ConfigurationError(
            f"The settings still select {current_location(reloaded).display_name}; nothing was changed. "
            "Check the environment, .env and the settings file of the project."
        )


def _write_settings_file(path: Path, kind: str, url: str, others: Mapping[str, Any]) -> None:
    """Write a settings file atomically, readable by its owner only: it may contain a password."""
    text = "# Written by LavenderTown when the store was switched.\n"
    text += _format_toml({"storage_type": kind, "database_url": url, **others})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _format_toml(data: Mapping[str, Any], prefix: str = "") -> str:
    """Return settings as TOML: strings, numbers, booleans and lists, and tables of them."""
    # Such values are written the same in JSON and TOML.
    values = {key: value for key, value in data.items() if not isinstance(value, dict)}
    text = "".join(
        f"{_format_toml_key(key)} = {json_codec.dumps(value).decode('utf-8')}\n"
        for key, value in values.items()
    )
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    for key, value in tables.items():
        name = f"{prefix}{_format_toml_key(key)}"
        text += f"\n[{name}]\n{_format_toml(value, f'{name}.')}"
    return text


def _format_toml_key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json_codec.dumps(key).decode("utf-8")


def _is_data_folder(target_location: StoreLocation, settings: Settings) -> bool:
    return (
        target_location.folder is not None and target_location.folder.resolve() == settings.data_dir.resolve()
    )
