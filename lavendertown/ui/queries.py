"""Read queries of the screens. Results are cached until the revision of the store changes.

Only data of the shared store is cached across sessions, never a table that a user inspects. The sessions
share the results: a screen must not change one.
"""

from __future__ import annotations

import datetime as dt
import operator
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.datasets import DatasetChoice
from lavendertown.collaboration.parts.people import make_initials
from lavendertown.collaboration.parts.timeline import TimelineNote
from lavendertown.collaboration.storage import FileStorage, Storage, get_storage_backend
from lavendertown.core.clock import EPOCH
from lavendertown.core.owner_rules import OwnerRule
from lavendertown.core.reading import Reading
from lavendertown.core.settings import Settings, load_settings
from lavendertown.profile.evidence import Evidence
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.ui import demo_store, replaced_data
from lavendertown.ui.query_cache import QueryCache

if TYPE_CHECKING:
    from lavendertown.drift.baseline import ProfileBaseline

Row = dict[str, Any]
PAGE_SIZE = 20
FINDINGS_PAGE = 200


_MOMENT_SECONDS = 0.05
_cache = QueryCache()
_local = threading.local()


class _Moment(NamedTuple):
    """The store and its revision, for the queries of one thread during a short time.

    A run of a screen asks about 25 questions, and reading the settings and the revision took longer than
    most answers.
    """

    ends_at: float
    is_demo: bool
    key: tuple[str, str, str]
    store: Storage
    revision: str


def current_storage() -> Storage:
    """Return the storage that this session shows, opened once per process: the configured one, or the demo.

    Raises:
        ConfigurationError: The settings are invalid.
        ImportError: A database is configured, but SQLAlchemy or its driver is not installed.
        StorageError: The store is unavailable or has a different schema.
    """
    return _storage_with_key()[1]


def _storage_with_key() -> tuple[tuple[str, str, str], Storage]:
    folder = demo_store.shown_folder()
    if folder is not None:
        return ("demo", "", str(folder)), _open_demo(str(folder))
    settings = load_settings()
    key = (settings.storage_type, settings.database_url, str(settings.data_dir))
    return key, _open_storage(*key, settings)


@st.cache_resource(show_spinner=False, on_release=Storage.close)
def _open_storage(kind: str, url: str, folder: str, _settings: Settings) -> Storage:
    storage = get_storage_backend(_settings)
    storage.write_path.hooks.after_commit.append(lambda _: forget_moment())
    storage.write_path.commit_guards.append(lambda: replaced_data.refuse_replaced_data(storage.audit))
    return storage


@st.cache_resource(show_spinner=False, on_release=Storage.close)
def _open_demo(folder: str) -> Storage:
    storage = FileStorage(folder)
    storage.write_path.hooks.after_commit.append(lambda _: forget_moment())
    return storage


def _current_moment() -> _Moment:
    moment: _Moment | None = getattr(_local, "moment", None)
    # Sessions take turns on a thread, and one may look at the demo while the next does not.
    is_demo = demo_store.is_shown()
    if moment is None or time.monotonic() >= moment.ends_at or moment.is_demo != is_demo:
        key, store = _storage_with_key()
        ends_at = time.monotonic() + _MOMENT_SECONDS
        moment = _local.moment = _Moment(ends_at, is_demo, key, store, store.revision())
    return moment


def forget_moment() -> None:
    """Make the next query of this thread read the revision again, as after a write."""
    _local.moment = None


def forget_results() -> None:
    """Forget all results, as after the data was replaced."""
    _cache.clear()
    forget_moment()


def close_storages() -> None:
    """Close all open storages."""
    forget_results()
    _open_storage.clear()
    _open_demo.clear()


def _read_cached(method: str, /, *arguments: Any, **named: Any) -> Any:
    moment = _current_moment()
    question = repr((method, arguments, sorted(named.items())))
    return _cache.read(
        moment.key,
        moment.revision,
        question,
        lambda: operator.attrgetter(method)(moment.store)(*arguments, **named),
    )


def current_revision() -> str:
    """Return the current revision of the store, uncached."""
    return current_storage().revision()


def storage_description() -> str:
    """Return a description of where reports are stored."""
    return current_storage().describe()


def uses_files() -> bool:
    """Return whether reports are stored in files."""
    return isinstance(current_storage(), FileStorage)


def list_reports(chosen: Mapping[str, Any], limit: int, offset: int = 0) -> list[Row]:
    """List the summaries of matching reports, newest first."""
    result: list[Row] = _read_cached("reports.query", limit=limit, offset=offset, **chosen)
    return result


def count_reports(chosen: Mapping[str, Any]) -> int:
    """Count the matching reports."""
    return int(_read_cached("reports.count", **chosen))


def report_facets(chosen: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Count reports by author, dataset, status, severity and tag."""
    result: dict[str, dict[str, int]] = _read_cached("reports.count_by_value", **chosen)
    return result


def runs_of_dataset(dataset: str, until: dt.datetime, limit: int) -> list[Row]:
    """List the reports of a dataset up to a time, newest first."""
    return list_reports({"dataset": dataset, "end_date": until}, limit)


def find_report(report_id: str) -> Row | None:
    """Return the summary of a report, including a deleted one, or None."""
    result: Row | None = _read_cached("reports.find", report_id)
    return result


def compare_reports(report_id: str, before_id: str | None) -> Row | None:
    """Compare a report with an earlier one, by default the previous run; None if it does not exist."""
    result: Row | None = _read_cached("reports.compare", report_id, before_id)
    return result


def report_metadata(report_id: str) -> Row:
    """Return the metadata of a report."""
    result: Row = _read_cached("reports.load_metadata", report_id)
    return result


def list_findings(report_id: str, limit: int | None = FINDINGS_PAGE, offset: int = 0) -> list[Row]:
    """List the findings of a report with status, tags and number of comments."""
    result: list[Row] = _read_cached("findings.query", report_id, limit=limit, offset=offset)
    return result


def find_finding(report_id: str, finding_id: str) -> Row | None:
    """Return one finding of a report, by any of its ids, or None."""
    current_id = _read_cached("findings.resolve_id", finding_id)
    result: list[Row] = _read_cached("findings.query", report_id, finding_id=current_id, limit=1)
    return result[0] if result else None


def finding_history(finding_id: str, limit: int = 12) -> list[Row]:
    """List the latest occurrences of a finding in all reports, newest first."""
    result: list[Row] = _read_cached("findings.query", finding_id=finding_id, limit=limit)
    return result


def known_findings(finding_ids: tuple[str, ...]) -> list[Row]:
    """List the latest occurrence of each of these findings that is already in a report."""
    latest = (finding_history(finding_id, limit=1) for finding_id in dict.fromkeys(finding_ids))
    return [rows[0] for rows in latest if rows]


def list_row_positions(report_id: str, position: int, limit: int = 100) -> list[int]:
    """Return the first affected row positions of a finding."""
    result: list[int] = _read_cached("findings.load_rows", report_id, position, limit=limit)
    return result


def load_evidence(report_id: str) -> Evidence | None:
    """Return the evidence of a report, or None."""
    result: Evidence | None = _read_cached("reports.load_evidence", report_id)
    return result


def load_baseline(dataset: str) -> ProfileBaseline | None:
    """Return the profiles of the newest report of a dataset, to compare a table with, or None."""
    result: ProfileBaseline | None = _read_cached("reports.load_baseline", dataset)
    return result


def list_annotations(finding_id: str) -> list[Annotation]:
    """Return the live annotations on a finding, oldest first."""
    result: list[Annotation] = _read_cached("annotations.list_on_finding", finding_id)
    return result


def find_annotation(annotation_id: str) -> Annotation | None:
    """Return one live annotation, or None."""
    result: Annotation | None = _read_cached("annotations.load", annotation_id)
    return result


def known_tags() -> list[str]:
    """Return the tags in use, most frequent first."""
    result: list[str] = _read_cached("reports.known_tags")
    return result


def known_datasets() -> list[str]:
    """Return the datasets of all reports, most frequent first."""
    return _values_by_count("dataset")


def choose_dataset(columns: tuple[str, ...], *, file: str = "", dataset: str = "") -> DatasetChoice:
    """Choose the dataset for a table with these columns."""
    result: DatasetChoice = _read_cached("datasets.choose", columns, file=file, dataset=dataset)
    return result


def stored_reading(dataset: str) -> Reading:
    """Return the settings with which the files of a dataset are read.

    Raises:
        InvalidInputError: A stored setting is not possible.
    """
    return Reading.from_dict(_read_cached("dataset_settings.load", dataset, "reading"))


def stored_row_key(dataset: str) -> list[str]:
    """Return the columns that identify a row of a dataset; empty if none are set.

    Raises:
        InvalidInputError: What is stored is not possible.
    """
    result: list[str] = _read_cached("dataset_settings.load_row_key", dataset)
    return result


def owner_rules() -> list[OwnerRule]:
    """Return all owner rules in the order in which they apply.

    Raises:
        InvalidInputError: The rules of the team that are stored are not possible.
    """
    configured: list[OwnerRule] = current_storage().owner_rules.list_configured()
    return [*configured, *stored_owner_rules()]


def stored_owner_rules() -> list[OwnerRule]:
    """Return the owner rules of the team, without those of the settings; errors as above."""
    result: list[OwnerRule] = _read_cached("owner_rules.list_stored")
    return result


def timeline_notes(dataset: Sequence[str], start: dt.datetime, end: dt.datetime) -> list[TimelineNote]:
    """Return the notes on these datasets, or on all, and those on every dataset, in a period."""
    result: list[TimelineNote] = _read_cached("timeline.query", tuple(dataset), start, end)
    return result


def stored_checks(dataset: str) -> CheckConfiguration:
    """Return the check configuration of a dataset as it was saved.

    Raises:
        InvalidInputError: What is stored is not possible.
    """
    result: CheckConfiguration = _read_cached("dataset_settings.load_checks", dataset)
    return result


def checks_to_run(dataset: str) -> CheckConfiguration:
    """Return the check configuration of a dataset with the rules of the rule sets that it names.

    Raises:
        InvalidInputError: What is stored is not possible, or a rule set is missing.
    """
    result: CheckConfiguration = _read_cached("dataset_settings.load_checks_to_run", dataset)
    return result


def stored_rulesets() -> list[Row]:
    """List the summaries of the stored rule sets by name."""
    result: list[Row] = _read_cached("rulesets.query", limit=None)
    return result


def _values_by_count(facet: str) -> list[str]:
    counts = report_facets({})[facet]
    return sorted((value for value in counts if value), key=lambda value: (-counts[value], value))


def find_deletion(report_id: str) -> Row | None:
    """Return the audit event of the latest deletion of a report, or None."""
    result: list[Row] = _read_cached(
        "audit.query", component="report", record_id=report_id, operation="delete", limit=1
    )
    return result[0] if result else None


def last_change(component: str, record_id: str) -> Row | None:
    """Return the newest audit event of a record, or None."""
    result: list[Row] = _read_cached("audit.query", component=component, record_id=record_id, limit=1)
    return result[0] if result else None


def changes_since(since: dt.datetime, limit: int = 100) -> list[Row]:
    """List the audit events since a time, newest first."""
    result: list[Row] = _read_cached("audit.query", since=since, limit=limit)
    return result


def time_of_latest_change() -> dt.datetime:
    """Return the time of the newest audit event, or the epoch if the log is empty."""
    result: list[Row] = _read_cached("audit.query", limit=1)
    latest: dt.datetime = result[0]["at"] if result else EPOCH
    return latest


def unreadable_items() -> list[dict[str, str]]:
    """List the stored items that cannot be read."""
    result: list[dict[str, str]] = _read_cached("unreadable_items")
    return result


def audit_events(chosen: Mapping[str, Any], limit: int, offset: int = 0) -> list[Row]:
    """List the matching audit events, newest first.

    Args:
        chosen: Arguments of ``audit.query``: actor, component, operation, record_id, finding_id, since,
            until.
        limit: The maximum number of events.
        offset: The number of events to skip.
    """
    result: list[Row] = _read_cached("audit.query", limit=limit, offset=offset, **chosen)
    return result


# The inbox: each finding once


def inbox_page(chosen: Mapping[str, Any], order: str, limit: int, offset: int = 0) -> list[Row]:
    """List matching findings of all reports, each once."""
    result: list[Row] = _read_cached("inbox.query", limit=limit, offset=offset, order=order, **chosen)
    return result


def inbox_rows(finding_ids: tuple[str, ...]) -> list[Row]:
    """Return the inbox rows of these findings in this order; skip those without a live report."""
    result: list[Row] = _read_cached("inbox.load_rows", finding_ids)
    return result


def count_passing_runs(finding_id: str) -> int:
    """Return how many of the latest runs in a row completed a finding's check without finding it."""
    return int(_read_cached("inbox.count_passing_runs", finding_id))


def find_inbox_rows(finding_ids: tuple[str, ...]) -> dict[str, Row]:
    """Return the inbox rows of these findings by the given ids; skip those without a live report."""
    current = {given: str(_read_cached("findings.resolve_id", given)) for given in finding_ids if given}
    rows = {row["finding_id"]: row for row in inbox_rows(tuple(dict.fromkeys(current.values())))}
    return {given: rows[resolved] for given, resolved in current.items() if resolved in rows}


def inbox_ids(chosen: Mapping[str, Any], order: str) -> list[str]:
    """Return the ids of all matching findings in the given order."""
    result: list[str] = _read_cached("inbox.query_ids", order=order, **chosen)
    return result


def count_inbox(chosen: Mapping[str, Any]) -> int:
    """Count the matching findings."""
    return int(_read_cached("inbox.count", **chosen))


def inbox_facets(chosen: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Count findings by each value of each filter."""
    result: dict[str, dict[str, int]] = _read_cached("inbox.count_by_value", **chosen)
    return result


# Incidents


def list_incidents(state: str | None = None) -> list[Row]:
    """List the incidents, open ones first; only those of a state, if one is given."""
    result: list[Row] = _read_cached("incidents.query", state)
    return result


def find_incident(incident_id: str) -> Row | None:
    """Return an incident, a deleted one too, or None."""
    result: Row | None = _read_cached("incidents.find", incident_id)
    return result


def suggest_incident(finding_id: str) -> Row | None:
    """Return which findings may be grouped with a finding, or None."""
    result: Row | None = _read_cached("incidents.suggest", finding_id)
    return result


# Worklists


def count_answers(report_id: str) -> dict[str, Row]:
    """Return how many rows of the findings of a report are answered, by finding."""
    result: dict[str, Row] = _read_cached("worklists.count_answers", report_id)
    return result


# Trends


def severity_trend(edges: tuple[dt.datetime, ...], dataset: tuple[str, ...]) -> list[Row]:
    """Count the findings in the latest run of each dataset at the end of each step."""
    result: list[Row] = _read_cached("trends.count_severities", edges, dataset)
    return result


def status_trend(edges: tuple[dt.datetime, ...], dataset: tuple[str, ...]) -> list[Row]:
    """Count open and closed findings at the end of each step."""
    result: list[Row] = _read_cached("trends.count_statuses", edges, dataset)
    return result


def list_profiles(dataset: str, start: dt.datetime, end: dt.datetime) -> list[Row]:
    """List the column profiles of the runs of a dataset in a period, oldest first."""
    result: list[Row] = _read_cached("trends.list_profiles", dataset, start, end)
    return result


def list_closings(start: dt.datetime, end: dt.datetime, dataset: tuple[str, ...]) -> list[Row]:
    """List the closed findings from ``start`` until before ``end``."""
    result: list[Row] = _read_cached("trends.list_closed", start, end, dataset)
    return result


# One finding, and people


def read_triage(finding_id: str) -> Row:
    """Return the triage state of a finding."""
    result: Row = _read_cached("triage.load", finding_id)
    return result


def merged_finding_ids(finding_id: str) -> list[str]:
    """Return the ids of the findings merged into this one."""
    result: list[str] = _read_cached("findings.find_merged", finding_id)
    return result


def read_person(name: str) -> Row:
    """Return the profile of a person: name, mail, initials."""
    known = {row["name"]: row for row in _read_cached("people.list_known")}
    return known.get(name) or {"name": name, "mail": "", "initials": make_initials(name)}


def hidden_columns(name: str) -> list[str]:
    """Return the columns that a person hides in the list of findings."""
    return list(_read_cached("people.load_hidden_columns", name))


def list_people() -> list[str]:
    """Return the names of all known people."""
    return [person["name"] for person in _read_cached("people.list_known")]


def saved_views() -> list[Row]:
    """List the saved views of the inbox."""
    result: list[Row] = _read_cached("views.query")
    return result
