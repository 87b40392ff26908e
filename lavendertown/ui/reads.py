"""Every read of the screens. Answers are cached until the store's revision changes.

Only what comes from the shared store is cached across people; a visitor's own table never is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.people import initials
from lavendertown.collaboration.storage import FileStorage, Storage, get_storage_backend
from lavendertown.config import Settings, load_settings

Row = dict[str, Any]
PAGE_SIZE = 20
FINDINGS_PAGE = 200


def storage() -> Storage:
    """Return this process's storage for the settings in force, opened once.

    Raises:
        ConfigurationError: The settings are wrong.
        ImportError: A database is set and SQLAlchemy or its driver is missing.
        StorageError: The store does not answer or has another schema.
    """
    return _current()[1]


def _current() -> tuple[tuple[str, str, str], Storage]:
    settings = load_settings()
    key = (settings.storage_type, settings.database_url, str(settings.data_dir))
    return key, _open(*key, settings)


@st.cache_resource(show_spinner=False, on_release=Storage.close)
def _open(kind: str, url: str, folder: str, _settings: Settings) -> Storage:
    return get_storage_backend(_settings)


def release() -> None:
    """Close every storage that was opened."""
    _open.clear()


def _read(method: str, /, *arguments: Any, **named: Any) -> Any:
    key, store = _current()
    return _cached(key, store.revision(), method, arguments, named, store)


@st.cache_data(ttl=60, max_entries=1000, show_spinner=False)
def _cached(
    key: tuple[str, str, str],
    revision: str,
    method: str,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    _store: Storage,
) -> Any:
    return getattr(_store, method)(*arguments, **named)


def revision() -> str:
    """Return the store's revision, asked anew."""
    return storage().revision()


def place() -> str:
    """Say in words where reports are kept."""
    return storage().describe()


def in_files() -> bool:
    """Tell whether reports are kept in plain files."""
    return isinstance(storage(), FileStorage)


def reports(chosen: Mapping[str, Any], limit: int, offset: int = 0) -> list[Row]:
    """List the headers of the reports that match, newest first."""
    found: list[Row] = _read("query_reports", limit=limit, offset=offset, **chosen)
    return found


def count_reports(chosen: Mapping[str, Any]) -> int:
    """Count the reports that match."""
    return int(_read("count_reports", **chosen))


def facets(chosen: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Count reports by author, dataset, status, severity and tag."""
    found: dict[str, dict[str, int]] = _read("report_facets", **chosen)
    return found


def runs(dataset: str, until: dt.datetime, limit: int) -> list[Row]:
    """List the reports of a dataset up to a moment, newest first."""
    return reports({"dataset": dataset, "end_date": until}, limit)


def report(report_id: str) -> Row | None:
    """Return a report's header, deleted ones too, or None."""
    found: Row | None = _read("find_report", report_id)
    return found


def compared(report_id: str, before_id: str | None) -> Row | None:
    """Compare a report with an earlier one, by default the run before it; None where it is not there."""
    found: Row | None = _read("compare_report", report_id, before_id)
    return found


def report_metadata(report_id: str) -> Row:
    """Return a report's metadata."""
    found: Row = _read("report_metadata", report_id)
    return found


def findings(report_id: str, limit: int | None = FINDINGS_PAGE, offset: int = 0) -> list[Row]:
    """List a report's findings with their status, tags and number of comments."""
    found: list[Row] = _read("query_findings", report_id, limit=limit, offset=offset)
    return found


def finding(report_id: str, finding_id: str) -> Row | None:
    """Return one finding of a report, by any of its ids, or None."""
    now = _read("resolve_finding", finding_id)
    found: list[Row] = _read("query_findings", report_id, finding_id=now, limit=1)
    return found[0] if found else None


def history(finding_id: str, limit: int = 12) -> list[Row]:
    """List the latest occurrences of a finding over all reports, newest first."""
    found: list[Row] = _read("query_findings", finding_id=finding_id, limit=limit)
    return found


def known_findings(finding_ids: tuple[str, ...]) -> list[Row]:
    """List the latest occurrences of those among these findings that some report has already."""
    latest = (history(finding_id, limit=1) for finding_id in dict.fromkeys(finding_ids))
    return [rows[0] for rows in latest if rows]


def finding_rows(report_id: str, position: int, limit: int = 100) -> list[int]:
    """Return the first affected row positions of a finding."""
    found: list[int] = _read("finding_rows", report_id, position, limit=limit)
    return found


def discussion(finding_id: str) -> list[Annotation]:
    """Return the live annotations on a finding, oldest first."""
    found: list[Annotation] = _read("get_annotations", finding_id)
    return found


def annotation(annotation_id: str) -> Annotation | None:
    """Return one live annotation, or None."""
    found: Annotation | None = _read("load_annotation", annotation_id)
    return found


def known_tags() -> list[str]:
    """Return the tags in use, most used first."""
    found: list[str] = _read("known_tags")
    return found


def known_datasets() -> list[str]:
    """Return the datasets of all reports, most reports first."""
    return _by_count("dataset")


def _by_count(facet: str) -> list[str]:
    counted = facets({})[facet]
    return sorted((name for name in counted if name), key=lambda name: (-counted[name], name))


def deletion(report_id: str) -> Row | None:
    """Return the audit event of a report's latest deletion, or None."""
    found: list[Row] = _read(
        "audit_log", component="report", record_id=report_id, operation="delete", limit=1
    )
    return found[0] if found else None


def last_change(component: str, record_id: str) -> Row | None:
    """Return the newest audit event of a record, or None."""
    found: list[Row] = _read("audit_log", component=component, record_id=record_id, limit=1)
    return found[0] if found else None


def changes(since: dt.datetime, limit: int = 100) -> list[Row]:
    """List what changed from a moment on, newest first."""
    found: list[Row] = _read("audit_log", since=since, limit=limit)
    return found


def latest_change() -> Row | None:
    """Return the newest audit event, or None in a store without any."""
    found: list[Row] = _read("audit_log", limit=1)
    return found[0] if found else None


def damage() -> list[dict[str, str]]:
    """Name the stored items that cannot be read."""
    found: list[dict[str, str]] = _read("damage")
    return found


def activity(chosen: Mapping[str, Any], limit: int, offset: int = 0) -> list[Row]:
    """List the changes that match, newest first.

    Args:
        chosen: actor, component, operation, record_id, finding_id, since, until, as ``audit_log`` takes them.
        limit: At most so many.
        offset: Leave so many out at the start.
    """
    found: list[Row] = _read("audit_log", limit=limit, offset=offset, **chosen)
    return found


# The desk: each finding once


def desk(chosen: Mapping[str, Any], order: str, limit: int, offset: int = 0) -> list[Row]:
    """List findings over all reports, each once."""
    found: list[Row] = _read("query_desk", limit=limit, offset=offset, order=order, **chosen)
    return found


def desk_rows(finding_ids: tuple[str, ...]) -> list[Row]:
    """Return these findings as the desk lists them, those that live reports hold, in this order."""
    found: list[Row] = _read("find_on_desk", finding_ids)
    return found


def desk_named(finding_ids: tuple[str, ...]) -> dict[str, Row]:
    """Return those of these findings that live reports hold, by the ids that were asked for."""
    names = {name: str(_read("resolve_finding", name)) for name in finding_ids if name}
    rows = {row["finding_id"]: row for row in desk_rows(tuple(dict.fromkeys(names.values())))}
    return {name: rows[now] for name, now in names.items() if now in rows}


def desk_ids(chosen: Mapping[str, Any], order: str) -> list[str]:
    """Return the ids of all findings that match, in order."""
    found: list[str] = _read("desk_ids", order=order, **chosen)
    return found


def count_desk(chosen: Mapping[str, Any]) -> int:
    """Count the findings that match."""
    return int(_read("count_desk", **chosen))


def desk_facets(chosen: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Count findings by each value of what they can be filtered by."""
    found: dict[str, dict[str, int]] = _read("desk_facets", **chosen)
    return found


# Over time


def severity_trend(edges: tuple[dt.datetime, ...], dataset: tuple[str, ...]) -> list[Row]:
    """Tell what the latest run of each dataset had found at the end of each step."""
    found: list[Row] = _read("severity_trend", edges, dataset)
    return found


def status_trend(edges: tuple[dt.datetime, ...], dataset: tuple[str, ...]) -> list[Row]:
    """Count the findings that were open and closed at the end of each step."""
    found: list[Row] = _read("status_trend", edges, dataset)
    return found


def closings(start: dt.datetime, end: dt.datetime, dataset: tuple[str, ...]) -> list[Row]:
    """List how findings were closed from one moment until before another."""
    found: list[Row] = _read("closings", start, end, dataset)
    return found


# One finding, and people


def triage(finding_id: str) -> Row:
    """Return what was decided about a finding beside its thread."""
    found: Row = _read("load_triage", finding_id)
    return found


def merged_into(finding_id: str) -> list[str]:
    """Return the ids of the findings that are handled as this one."""
    found: list[str] = _read("merged_into", finding_id)
    return found


def person(name: str) -> Row:
    """Return what the team knows of somebody: name, mail, initials."""
    known = {row["name"]: row for row in _read("known_people")}
    return known.get(name) or {"name": name, "mail": "", "initials": initials(name)}


def people() -> list[str]:
    """Return the names of those the team knows."""
    return [person["name"] for person in _read("known_people")]


def saved_views() -> list[Row]:
    """List the saved views of the desk."""
    found: list[Row] = _read("query_views")
    return found
