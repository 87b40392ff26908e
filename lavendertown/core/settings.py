"""Read the settings from the environment and the settings files.

The first source that sets a value wins: environment, ``.env``, ``lavendertown.toml`` or
``lavendertown.yaml`` in the project root, ``config.toml`` in the data folder, the key ``database`` of
``config.yaml`` in the project root, default. The data folder itself is set in the environment, ``.env``
or the root file.

A new setting needs an entry in :data:`SETTINGS`, an attribute of :class:`Settings` and a row in the
README's table, which a test compares with the entry.
"""

from __future__ import annotations

import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from lavendertown.core.configured_sources import ConfiguredSource, build_sources, check_sources
from lavendertown.core.errors import ConfigurationError
from lavendertown.core.notification_channels import NotificationChannel, build_channels, check_channels
from lavendertown.core.owner_rules import parse_owner_rule
from lavendertown.core.ticket_targets import TicketTarget, build_ticket_targets, check_ticket_targets

VARIABLE_PREFIX = "LAVENDERTOWN_"
DATA_FOLDER_CONFIG = "config.toml"
STORAGE_TYPES = ("file", "database")
PROJECT_CONFIG = "config.yaml"
_ROOT_FILES = ("lavendertown.toml", "lavendertown.yaml", "lavendertown.yml")
DATABASE_TLS_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    "mariadb": ("ssl_ca", "ssl_cert", "ssl_key"),
}
"""The keys for TLS that a database's mapping may have, by driver; they are options of its URL."""
_DATABASE_URL_PARTS = frozenset({"driver", "path", "user", "password", "host", "port", "name"})
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_SOURCES = "sources"
"""The key of the configured sources in the settings files."""

_CHANNELS = "notifications"
"""The key of the channels of notifications in the settings files."""
_TICKETS = "tickets"
"""The key of the trackers in the settings files."""

_KIND_DESCRIPTIONS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
}
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mariadb": "mariadb",
    "mysql": "mariadb",
}


@dataclass(frozen=True)
class Setting:
    """One setting: a key in the settings files and a variable in the environment.

    Attributes:
        name: The key. ``"limits.rows"`` is the key ``rows`` of the table ``limits``, the variable
            ``LAVENDERTOWN_LIMITS_ROWS`` and the attribute ``limits_rows`` of :class:`Settings`.
        kind: ``str``, ``int``, ``float``, ``bool`` or ``tuple``: a list of texts in a file, separated
            by commas in a variable.
        default: The value if no source sets one.
        description: The meaning, as in the README's table of settings (Markdown).
        minimum: The smallest allowed number; None for no minimum.
    """

    name: str
    kind: type[Any]
    default: Any
    description: str
    minimum: int | None = None

    @property
    def environment_variable(self) -> str:
        """The environment variable."""
        return VARIABLE_PREFIX + self.attribute_name.upper()

    @property
    def attribute_name(self) -> str:
        """The attribute of :class:`Settings`."""
        return self.name.replace(".", "_")


SETTINGS = (
    Setting("storage_type", str, "file", "`file` or `database`"),
    Setting(
        "database_url",
        str,
        "sqlite:///.lavendertown/lavendertown.db",
        "the location of the database, if the storage type is `database`: `sqlite:///path`, "
        "`postgresql://user:password@host:5432/name` or `mariadb://user:password@host:3306/name`",
    ),
    Setting(
        "data_dir",
        str,
        ".lavendertown",
        "the data folder (set in the environment, `.env` or the root file)",
    ),
    Setting(
        "migration_folders",
        tuple,
        (),
        "folders that migrations started in the browser may read and write, in addition to the data folder",
    ),
    Setting(
        "server_names",
        tuple,
        (),
        "host names under which browsers reach the dashboard, in addition to the loopback names; "
        "`*.example.org` allows all subdomains",
    ),
    Setting(
        "limits.upload_mb", int, 200, "maximum size of a file uploaded to the dashboard, in megabytes", 1
    ),
    Setting(
        "limits.uploads_mb",
        int,
        1000,
        "maximum size of the uploads of all visitors together, in megabytes",
        1,
    ),
    Setting("limits.uncompressed_mb", int, 2000, "maximum size of an unpacked data file, in megabytes", 1),
    Setting("limits.cells", int, 100_000_000, "maximum number of cells (rows times columns) in a table", 1),
    Setting("limits.columns", int, 16_384, "maximum number of columns in a table", 1),
    Setting(
        "limits.memory_mb",
        int,
        0,
        "maximum memory for reading and checking an upload, in megabytes; "
        "0 means half of the machine's memory, at most 4096",
        0,
    ),
    Setting("limits.seconds", int, 600, "maximum time for reading and checking an upload, in seconds", 1),
    Setting("limits.inspections", int, 2, "number of uploads that are read and checked at the same time", 1),
    Setting(
        "evidence.samples",
        bool,
        True,
        "`true`: reports keep sample rows and frequent values; `false`: neither",
    ),
    Setting(
        "evidence.mask",
        tuple,
        (),
        "columns whose values are never stored, such as `email` or `*_name`; case does not matter",
    ),
    Setting(
        "triage.runs_to_confirm",
        int,
        3,
        "number of runs in which the fix of a finding must be verified; otherwise it needs attention",
        1,
    ),
    Setting("triage.error_days", int, 0, "days until an open error is due; 0 for no due date", 0),
    Setting("triage.warning_days", int, 0, "days until an open warning is due; 0 for no due date", 0),
    Setting("triage.info_days", int, 0, "days until an open info finding is due; 0 for no due date", 0),
    Setting(
        "triage.close_reasons",
        tuple,
        (),
        "reasons that screens offer for closing a finding",
    ),
    Setting(
        "triage.owners",
        tuple,
        (),
        "who owns new findings: `dataset:orders* column:email = Ana`; the first rule that matches counts",
    ),
    Setting(
        "rpc_app",
        str,
        "",
        "`module:attribute` of an `RpcApp` of your own, served at `/rpc` and by `lavendertown rpc`; "
        "empty for the team's records",
    ),
    Setting(
        "rpc_authentication",
        str,
        "required",
        "`required`: RPC and MCP calls need a token; `off`: direct calls from this machine need none, on a "
        "server that listens on a loopback address only",
    ),
    Setting(
        "rpc_allowed_origins",
        tuple,
        (),
        "origins of other websites, such as `https://quality.example.org`, whose pages may call RPC and MCP",
    ),
    Setting(
        "rpc_proxies",
        tuple,
        (),
        "addresses or networks of proxies that sign people in; their header `X-User` is trusted in RPC and "
        "MCP calls",
    ),
    Setting(
        "dashboard_url",
        str,
        "",
        "the address under which people open the dashboard, such as `https://quality.example.org`, for the "
        "links in notifications",
    ),
    Setting(
        "tick_minutes",
        int,
        0,
        "minutes after which the dashboard's server does what `lavendertown tick` does; 0 leaves it to cron",
        0,
    ),
    Setting(
        "notifications.keep_days",
        int,
        90,
        "days after which delivered and given up notifications are removed; 0 keeps them",
        0,
    ),
    Setting("rpc_max_mb", int, 64, "maximum size of a report, backup or export sent by RPC, in megabytes", 1),
)
_SETTINGS_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """The settings in use.

    Attributes:
        storage_type: ``"file"`` or ``"database"``.
        database_url: A SQLAlchemy URL; used if the storage type is ``"database"``.
        data_dir: The data folder.
        origins: The source of each setting's value, as text for people.
        notices: A sentence for each source whose store is not used because another source takes precedence.
        root: The project root they were read from; None if they were not read from this machine's
            files and environment.
        migration_folders: Folders that migrations started in the browser may use.
        server_names: Host names under which browsers may reach the dashboard.
        limits_upload_mb: The maximum size of an uploaded file in megabytes.
        limits_uploads_mb: The maximum size of all uploads together in megabytes.
        limits_uncompressed_mb: The maximum size of an unpacked data file in megabytes.
        limits_cells: The maximum number of cells in a table.
        limits_columns: The maximum number of columns in a table.
        limits_memory_mb: The maximum memory for inspecting an upload in megabytes; 0 for the default.
        limits_seconds: The maximum time for inspecting an upload in seconds.
        limits_inspections: The number of uploads that are inspected at the same time.
        evidence_samples: Whether reports keep sample rows and frequent values.
        evidence_mask: Patterns of column names whose values are never stored.
        triage_runs_to_confirm: The number of runs in which the fix of a finding must be verified.
        triage_error_days: The days until an open error is due; 0 for no due date.
        triage_warning_days: The same of a warning.
        triage_info_days: The same of an info finding.
        triage_close_reasons: Reasons that screens offer when a finding is closed.
        triage_owners: Owner rules, see :mod:`lavendertown.core.owner_rules`.
        rpc_app: ``module:attribute`` of an RPC app to serve; empty for the team's records.
        rpc_authentication: ``"required"`` or ``"off"``.
        rpc_allowed_origins: Origins of other websites whose pages may call RPC.
        rpc_proxies: Addresses of proxies whose header ``X-User`` is trusted in RPC calls.
        rpc_max_mb: The maximum size of a report, backup or export sent by RPC in megabytes.
        dashboard_url: The address of the dashboard, for links in notifications; empty if it is not known.
        tick_minutes: The minutes between two ticks of the dashboard's server; 0 for none.
        notifications_keep_days: The days for which finished notifications are kept; 0 for ever.
        sources: The sources of data that visitors may inspect by name.
        notifications: The channels of notifications.
        tickets: The trackers in which people create tickets.
    """

    storage_type: str
    database_url: str = field(repr=False)
    data_dir: Path
    origins: Mapping[str, str]
    root: Path | None = field(default=None, compare=False)
    migration_folders: tuple[Path, ...] = ()
    server_names: tuple[str, ...] = ()
    limits_upload_mb: int = 200
    limits_uploads_mb: int = 1000
    limits_uncompressed_mb: int = 2000
    limits_cells: int = 100_000_000
    limits_columns: int = 16_384
    limits_memory_mb: int = 0
    limits_seconds: int = 600
    limits_inspections: int = 2
    evidence_samples: bool = True
    evidence_mask: tuple[str, ...] = ()
    triage_runs_to_confirm: int = 3
    triage_error_days: int = 0
    triage_warning_days: int = 0
    triage_info_days: int = 0
    triage_close_reasons: tuple[str, ...] = ()
    triage_owners: tuple[str, ...] = ()
    rpc_app: str = ""
    rpc_authentication: str = "required"
    rpc_allowed_origins: tuple[str, ...] = ()
    rpc_proxies: tuple[str, ...] = ()
    dashboard_url: str = ""
    tick_minutes: int = 0
    notifications_keep_days: int = 90
    rpc_max_mb: int = 64
    sources: tuple[ConfiguredSource, ...] = field(default=(), compare=False)
    notifications: tuple[NotificationChannel, ...] = field(default=(), compare=False)
    tickets: tuple[TicketTarget, ...] = field(default=(), compare=False)
    notices: tuple[str, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        return hash((self.storage_type, self.database_url, self.data_dir))


def load_settings(root: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        root: The project root; the working directory by default.
        environ: Variables to use instead of the process environment.

    Raises:
        ConfigurationError: A file cannot be read, or has an unknown key or an invalid value; or two sources
            contradict each other.
    """
    root = root or Path.cwd()
    environment, dotenv = environ if environ is not None else os.environ, _read_dotenv(root / ".env")
    layers = [_environment_layer(environment, "the environment"), _environment_layer(dotenv, ".env")]
    root_files = [_file_layer(root / name) for name in _ROOT_FILES]
    _refuse_different_values(root_files)
    layers += root_files
    folder = _resolve_path(_find_setting_value(layers, _SETTINGS_BY_NAME["data_dir"])[0], root)
    root_layers = list(layers)
    layers.append(_file_layer(folder / DATA_FOLDER_CONFIG))
    project_layer, project_notices = _project_config_layer(root / PROJECT_CONFIG)
    layers.append(project_layer)
    values, origins = {}, {}
    for name, setting in _SETTINGS_BY_NAME.items():
        value, origins[name] = _find_setting_value(root_layers if name == "data_dir" else layers, setting)
        if setting.minimum is not None and value < setting.minimum:
            raise ConfigurationError(
                f"The setting {name} (from {origins[name]}) is {value}; it must be {setting.minimum} or more."
            )
        values[setting.attribute_name] = value
    for rule in values["triage_owners"]:
        parse_owner_rule(rule)
    _refuse_unused_database(layers, origins)
    if origins["storage_type"] == _DEFAULT_ORIGIN and origins["database_url"] != _DEFAULT_ORIGIN:
        # A database URL without a storage type means the database.
        values["storage_type"], origins["storage_type"] = "database", origins["database_url"]
    storage_type = values["storage_type"]
    if storage_type not in STORAGE_TYPES:
        raise ConfigurationError(
            f"The storage type {quote_or_hide(storage_type)} (from {origins['storage_type']}) is unknown; "
            f"set {VARIABLE_PREFIX}STORAGE_TYPE to 'file' or 'database'."
        )
    if origins["database_url"] == _DEFAULT_ORIGIN:
        values["database_url"] = f"sqlite:///{folder / 'lavendertown.db'}"
    values["data_dir"] = folder
    values["migration_folders"] = tuple(_resolve_path(text, root) for text in values["migration_folders"])
    variables = {**dotenv, **environment}
    values["sources"] = build_sources([layer.get(_SOURCES, {}) for _, layer in layers], root, variables)
    values["notifications"] = build_channels([layer.get(_CHANNELS, {}) for _, layer in layers], variables)
    values["tickets"] = build_ticket_targets([layer.get(_TICKETS, {}) for _, layer in layers], variables)
    notices = (*_find_unused_stores(layers, values["storage_type"], origins), *project_notices)
    return Settings(**values, origins=origins, root=root if environ is None else None, notices=notices)


def list_settings_files(settings: Settings) -> list[Path]:
    """Return the files from which these settings may come, including missing ones."""
    root = settings.root or Path.cwd()
    root_files = [root / name for name in (".env", *_ROOT_FILES, PROJECT_CONFIG)]
    return [*root_files, settings.data_dir / DATA_FOLDER_CONFIG]


_SettingsLayer = tuple[str, Mapping[str, Any]]
_DEFAULT_ORIGIN = "the default"


def _find_setting_value(layers: list[_SettingsLayer], setting: Setting) -> tuple[Any, str]:
    for origin, values in layers:
        if setting.name in values:
            return values[setting.name], origin
    return setting.default, _DEFAULT_ORIGIN


def _refuse_different_values(files: list[_SettingsLayer]) -> None:
    """Refuse root files that set a setting differently, because none of them takes precedence."""
    for name in _SETTINGS_BY_NAME:
        found = [(origin, values[name]) for origin, values in files if name in values]
        for origin, value in found[1:]:
            if value != found[0][1]:
                raise ConfigurationError(
                    f"{found[0][0]} and {origin} set {name} differently; remove it from one of them."
                )


def _refuse_unused_database(layers: list[_SettingsLayer], origins: Mapping[str, str]) -> None:
    """Refuse a database URL with the storage type "file" of a source with a lower precedence.

    The URL alone would mean the database, so it is unclear which of the two is wanted.
    """
    order = [origin for origin, _ in layers]
    url_origin, type_origin = origins["database_url"], origins["storage_type"]
    if _DEFAULT_ORIGIN in (url_origin, type_origin) or order.index(url_origin) >= order.index(type_origin):
        return
    if _find_setting_value(layers, _SETTINGS_BY_NAME["storage_type"])[0] == "file":
        raise ConfigurationError(
            f"The database is set by {url_origin}, but the storage type 'file' by {type_origin}; set "
            f"{VARIABLE_PREFIX}STORAGE_TYPE to 'database' or 'file', or remove one of them."
        )


def _find_unused_stores(
    layers: list[_SettingsLayer], storage_type: str, origins: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each source that sets another store than the one in use."""
    used = "" if storage_type == "file" else _find_setting_value(layers, _SETTINGS_BY_NAME["database_url"])[0]
    name = "storage_type" if storage_type == "file" else "database_url"
    source = f"The {'storage type' if storage_type == 'file' else 'database'} is set by {origins[name]}"
    for origin, values in layers:
        if values.get("database_url", used) != used and origin != origins[name]:
            yield f"{source}; the database in {origin} is not used."


def _resolve_path(text: str, root: Path) -> Path:
    path = Path(text).expanduser()
    return path if path.is_absolute() else root / path


def _environment_layer(environ: Mapping[str, str | None], origin: str) -> _SettingsLayer:
    values = {}
    for setting in SETTINGS:
        text = (environ.get(setting.environment_variable) or "").strip()
        if text:
            values[setting.name] = _parse_text(setting, text, origin)
    return origin, values


def _parse_text(setting: Setting, text: str, origin: str) -> Any:
    """Return the value of a variable, parsed from its text."""
    if setting.kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if setting.kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ConfigurationError(f"{setting.environment_variable} (from {origin}) must be true or false.")
        return _BOOLEANS[text.lower()]
    try:
        return setting.kind(text)
    except ValueError:
        raise ConfigurationError(
            f"{setting.environment_variable} (from {origin}) must be {_KIND_DESCRIPTIONS[setting.kind]}."
        ) from None


def _check_value(setting: Setting, value: Any, path: Path) -> Any:
    """Return a value from a settings file if it is of the setting's kind."""
    if setting.kind is tuple:
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return tuple(value)
    elif setting.kind is str:
        # YAML and TOML parse a name such as 2026 as a number.
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    elif isinstance(value, bool) == (setting.kind is bool):
        allowed = (int, float) if setting.kind is float else setting.kind
        if isinstance(value, allowed):
            return setting.kind(value)
    raise ConfigurationError(
        f"The setting {setting.name!r} in {path} must be {_KIND_DESCRIPTIONS[setting.kind]}."
    )


def _read_dotenv(path: Path) -> Mapping[str, str | None]:
    if not _is_file(path):
        return {}
    text = _read_text(path)
    invalid = next((part for part in parse_stream(io.StringIO(text)) if part.error), None)
    if invalid is not None:
        # The statement includes the blank lines before it.
        text = invalid.original.string
        line = invalid.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        raise _unreadable_file_error(path, f"line {line} is not of the form NAME=value")
    return dotenv_values(stream=io.StringIO(text))


def _file_layer(path: Path) -> _SettingsLayer:
    return path.name, _validate_file_settings(read_settings_file(path), path) if _is_file(path) else {}


def _project_config_layer(path: Path) -> tuple[_SettingsLayer, list[str]]:
    """Return the database of a ``config.yaml``, and a notice if it has one that cannot be meant.

    Other programs have files of this name, so all other keys are ignored, and a database is only used if
    it is a URL or a mapping with a driver.
    """
    if not _is_file(path) or not re.search(rb"""^["']?database["']?\s*:""", _read_bytes(path), re.MULTILINE):
        return (path.name, {}), []
    database = read_settings_file(path).get("database")
    if isinstance(database, str) and "://" in database:
        return (path.name, {"database_url": database}), []
    if isinstance(database, dict) and database.get("driver"):
        return (path.name, {"database_url": build_database_url(database, str(path))}), []
    notice = f"The database in {path.name} is neither a URL nor a mapping with a driver; it is not used."
    return (path.name, {}), [notice] if database else []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise _unreadable_file_error(path, error.strerror or type(error).__name__) from None


def read_settings_file(path: Path) -> dict[str, Any]:
    """Return the unchecked content of a TOML or YAML settings file.

    Raises:
        ConfigurationError: The file cannot be read. The message names the line, but never quotes the file.
    """
    text = _read_text(path)
    # Messages of the parsers quote the file, passwords included. They must not appear in tracebacks either.
    try:
        data = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at (line \d+, column \d+)\)$", str(error))
        raise _unreadable_file_error(path, f"it is not TOML at {match[1] if match else 'its end'}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _unreadable_file_error(path, f"it is not YAML{position}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _unreadable_file_error(path, "it is not YAML") from None
    data = data or {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"The settings file {path} must consist of keys and values.")
    return data


def _read_text(path: Path) -> str:
    data = _read_bytes(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable_file_error(path, f"line {line} is not UTF-8 text") from None


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable_file_error(path, error.strerror or type(error).__name__) from None


def _unreadable_file_error(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"The settings file {path} cannot be read: {reason}. Correct the file.")


def read_other_settings(path: Path) -> dict[str, Any]:
    """Return the content of a settings file without the settings of the store.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    store_settings = ("storage_type", "database_url", "database")
    data = read_settings_file(path) if _is_file(path) else {}
    return {key: value for key, value in data.items() if _normalize_key(key) not in store_settings}


def _normalize_key(key: object) -> str:
    return str(key).lower().removeprefix(VARIABLE_PREFIX.lower())


def _validate_file_settings(data: dict[str, Any], path: Path) -> dict[str, Any]:
    data = {_normalize_key(key): value for key, value in data.items()}
    database = data.pop("database", None)
    channels, channel_settings = _split_channels(data.pop(_CHANNELS, None) or {})
    tables = {
        _SOURCES: check_sources(data.pop(_SOURCES, None) or {}, path),
        _CHANNELS: check_channels(channels, path),
        _TICKETS: check_ticket_targets(data.pop(_TICKETS, None) or {}, path),
    }
    data = _flatten_tables(data) | channel_settings
    unknown = sorted(set(data) - set(_SETTINGS_BY_NAME))
    if unknown:
        known = ", ".join(sorted({*_SETTINGS_BY_NAME, "database", *tables}))
        raise ConfigurationError(
            f"{path} has the unknown setting {quote_or_hide(unknown[0])}; the known settings are {known}."
        )
    values = {
        key: _check_value(_SETTINGS_BY_NAME[key], value, path)
        for key, value in data.items()
        if value is not None and value != ""
    }
    values |= {name: table for name, table in tables.items() if table}
    if not database:
        return values
    if not isinstance(database, str | dict):
        raise ConfigurationError(f"The setting 'database' in {path} must be a URL or a mapping.")
    url = build_database_url(database, str(path)) if isinstance(database, dict) else database
    if values.get("database_url", url) != url:
        raise ConfigurationError(
            f"{path} names two databases, one in database_url and another in database; remove one of them."
        )
    return values | {"database_url": url}


def _split_channels(table: Any) -> tuple[Any, dict[str, Any]]:
    """Return the channels in the table ``notifications``, and the other settings in that table."""
    if not isinstance(table, dict):
        return table, {}
    names = [key for key in table if f"{_CHANNELS}.{key}" in _SETTINGS_BY_NAME]
    settings = {f"{_CHANNELS}.{key}": table[key] for key in names}
    return {key: value for key, value in table.items() if key not in names}, settings


def _flatten_tables(data: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with the keys of tables as ``table.key``."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def quote_or_hide(text: str) -> str:
    """Return an invalid name or value in quotes, or "(not shown)" if it may contain a password."""
    return repr(text) if re.fullmatch(r"[\w.+-]{1,40}", text) else "(not shown)"


def build_database_url(parts: Mapping[str, Any], origin: str = "database") -> str:
    """Build a database URL from a mapping: driver and path, or driver, host, port, name, user, password.

    Raises:
        ConfigurationError: Keys are missing or unknown; the message names all of them.
    """
    driver = _DRIVERS.get(str(parts.get("driver", "")))
    tls = DATABASE_TLS_OPTIONS.get(driver or "", ())
    unknown = sorted(str(key) for key in set(parts) - _DATABASE_URL_PARTS - set(tls))
    needed = {"driver"} | ({"path"} if driver == "sqlite" else {"name"} if driver else set())
    missing = sorted(key for key in needed if not parts.get(key))
    if unknown or missing or driver is None:
        problems = [f"{key} is missing" for key in missing] + [
            f"{quote_or_hide(key)} is unknown" for key in unknown
        ]
        if parts.get("driver") and driver is None:
            problems.append(
                f"driver {quote_or_hide(str(parts['driver']))} is not one of {', '.join(sorted(_DRIVERS))}"
            )
        raise ConfigurationError(f"The database settings in {origin} are invalid: {'; '.join(problems)}.")
    if driver == "sqlite":
        return f"sqlite:///{expand_home(str(parts['path']))}"
    user = quote(str(parts.get("user") or ""), safe="")
    password = f":{quote(str(parts['password']), safe='')}" if parts.get("password") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    at = f"{user}{password}@" if user else ""
    options = urlencode({key: str(parts[key]) for key in tls if parts.get(key)})
    host = str(parts.get("host") or "localhost").strip("[]")
    host = f"[{host}]" if ":" in host else host
    place = f"{at}{host}{port}/{quote(str(parts['name']), safe='')}"
    return f"{driver}://{place}?{options}" if options else f"{driver}://{place}"


def expand_home(path: str) -> str:
    """Return a path with ``~`` or ``~user`` at its start replaced by the home folder, if there is one."""
    # Path.expanduser raises for an unknown user, and changes other parts of the text.
    return os.path.expanduser(path)  # noqa: PTH111
