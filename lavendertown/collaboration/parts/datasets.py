"""Datasets: which one a table joins, and how one dataset continues the history of another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, groupby
from typing import Any

from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.triage import Triage, Undo
from lavendertown.core.dataset_names import dataset_name, former_dataset_name
from lavendertown.core.errors import DamagedRecordError, InvalidInputError
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.core.fingerprints import compute_field_fingerprint
from lavendertown.records.queries import FindingQuery, ReportQuery
from lavendertown.records.record_classes import ALL_ITEMS, FindingSummary, Page, ReportRecord

LATEST_REPORTS = 3
"""Number of newest reports that are read to find one with known columns."""
COMPARED_REPORTS = 100
"""Number of reports of a dataset that are compared to detect several tables in it."""


class ChoiceReason(StrEnum):
    """Why a dataset was chosen.

    NEW: no report yet. JOINS: the dataset has reports. FORMER_NAME: it has reports under the name that
    earlier versions gave this file, and keeps that name. MIXED: it has the name of this file, but earlier
    versions saved reports of several tables in it.
    """

    NEW = "new"
    JOINS = "joins"
    FORMER_NAME = "former_name"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class DatasetChoice:
    """The dataset to save a report in.

    Attributes:
        name: The dataset.
        reason: Why it was chosen.
        ask: Whether a person must confirm that this is the same table: its columns differ, or the dataset
            mixes several tables or may do so.
        report_count: Number of reports in the dataset.
        latest: Time of its newest report; None without reports.
        columns_known: Whether the stored reports tell the columns of the dataset.
        missing: Columns of the dataset that the table lacks.
        added: Columns of the table that the dataset lacks.
        adoptable: A dataset whose history can be adopted, because earlier versions gave its name to this
            file; empty for none.
        adoptable_count: Number of reports in that dataset.
        adoptable_mixed: Whether that dataset mixes several tables.
    """

    name: str
    reason: ChoiceReason
    ask: bool = False
    report_count: int = 0
    latest: dt.datetime | None = None
    columns_known: bool = False
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    adoptable: str = ""
    adoptable_count: int = 0
    adoptable_mixed: bool = False


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table as far as a report tells them.

    Attributes:
        names: The columns.
        complete: Whether these are all columns, not only those of checks and findings.
        listed: Whether the report lists them. Reports of earlier versions, which named datasets by the
            former rule, do not.
        table: The name of the table according to the file name; empty in reports without a file name.
    """

    names: tuple[str, ...]
    complete: bool
    listed: bool = False
    table: str = ""


class Datasets(StoragePart):
    """The datasets of a storage."""

    def __init__(self, context: StorageContext, triage: Triage) -> None:
        super().__init__(context)
        self._triage = triage

    def choose(self, columns: Sequence[str], *, file: str = "", dataset: str = "") -> DatasetChoice:
        """Choose the dataset for a table with these columns.

        A person must confirm joining a dataset whose newest report has other columns, named by ``missing``
        and ``added``. Case does not matter.

        A dataset under the name that earlier versions gave the file (:func:`former_dataset_name`) is kept if
        its columns match, so that triage continues; otherwise its history can be adopted. A former name that
        contains the whole current name (``orders_2025_w`` contains ``orders``) matches if at least half of
        the columns of the wider table are shared. A former name that other tables may share (``public`` for
        ``public.orders``) matches only if the columns are equal, and must be confirmed once: earlier versions
        stored no file names, so nothing tells tables with equal columns apart. A dataset that visibly mixes
        several tables never matches.

        A dataset with the current name of the file must be confirmed once if its reports visibly mix several
        tables: until a version with the current rule has saved a report in it.

        Args:
            columns: The columns of the table.
            file: The file name; it determines the dataset unless ``dataset`` is given.
            dataset: The requested dataset.
        """
        if dataset.strip():
            return self._describe_choice(dataset.strip(), columns)
        name, former = dataset_name(file), former_dataset_name(file)
        choice = self._describe_choice(name, columns)
        if choice.report_count:
            is_mixed = self._is_of_earlier_version(name) and self._mixes_tables(name)
            return replace(choice, reason=ChoiceReason.MIXED, ask=True) if is_mixed else choice
        if name == former:
            return choice
        past = self._describe_choice(former, columns)
        if not past.report_count or self._is_adopted(former):
            return choice
        mixed = self._mixes_tables(former)
        before = self._columns_of_dataset(former)
        is_shared = name not in former
        if before is not None and not mixed and _may_continue(before, columns, is_shared=is_shared):
            ask = past.ask or (is_shared and not self._has_report_of_table(former, name))
            return replace(past, reason=ChoiceReason.FORMER_NAME, ask=ask)
        return replace(choice, adoptable=former, adoptable_count=past.report_count, adoptable_mixed=mixed)

    def adopt_history(self, former: str, dataset: str, *, actor: str) -> Undo:
        """Continue the history of one dataset in another one, in one unit of work.

        Each finding of the former dataset is merged into the finding of the same check and column in this
        dataset, with its discussion, status and assignee. A finding that no report of this dataset has yet
        is listed in it as passing or not run, and continues when a later report has it.

        Only findings of this table are adopted:

        - If the former dataset is of one table, and its columns match those of this dataset (at least half of
          the wider table) or are unknown, all its findings are adopted.
        - If it mixes several tables, a finding is adopted if this dataset has its column and it is in a
          report with exactly the columns of this dataset or, without such a report, with matching columns.
          Tables with equal columns cannot be distinguished: the first dataset that adopts gets the findings
          of all.
        - If it is of another table, only findings that this dataset already has are adopted.

        Findings that were merged into another dataset stay merged there.

        Args:
            former: The dataset whose history is adopted. Its reports stay unchanged.
            dataset: The dataset that continues it; it must have a report.
            actor: Who does it.

        Raises:
            InvalidInputError: The dataset has no report, or no finding can be adopted.
        """
        if not self._context.store.count(ReportQuery(dataset=(dataset,))):
            raise InvalidInputError(
                f"Dataset {dataset!r} has no report yet; save one, then adopt the history of {former!r}."
            )
        occurrences = self._context.store.scan(FindingQuery(dataset=(former,)), ALL_ITEMS)
        targets = _find_counterparts(occurrences, dataset)
        adopted = self._select_findings_to_adopt(former, dataset, occurrences, targets)
        pairs: dict[str, str] = {}
        for each in occurrences:
            if each.finding_id in adopted:
                pairs[each.finding_id] = targets[each.finding_id]
                # Findings merged in the former dataset are one finding in this one, too.
                pairs.setdefault(_fingerprint_in(dataset, each), targets[each.finding_id])
        pairs = self._leave_out_merged(pairs)
        if not pairs:
            raise InvalidInputError(
                f"Dataset {former!r} has no finding of the table in {dataset!r}, so nothing can be adopted."
            )
        return self._triage.adopt_histories(pairs, actor)

    def _describe_choice(self, name: str, columns: Sequence[str]) -> DatasetChoice:
        query = ReportQuery(dataset=(name,))
        newest = self._context.store.scan(query, Page(1))
        if not newest:
            return DatasetChoice(name, ChoiceReason.NEW)
        before = self._columns_of_dataset(name)
        missing, added = _compare_columns(before, columns) if before else ((), ())
        return DatasetChoice(
            name=name,
            reason=ChoiceReason.JOINS,
            ask=bool(missing or added),
            report_count=self._context.store.count(query),
            latest=newest[0].created_at,
            columns_known=before is not None,
            missing=missing,
            added=added,
        )

    def _columns_of_dataset(self, name: str) -> TableColumns | None:
        return next(iter(self._columns_of_reports(name, LATEST_REPORTS)), None)

    def _columns_of_reports(self, name: str, limit: int | None) -> Iterable[TableColumns]:
        """Yield the known columns of the newest reports of a dataset."""
        for header in self._context.store.scan(ReportQuery(dataset=(name,)), Page(limit)):
            columns = self._columns_of_report(header.id)
            if columns is not None:
                yield columns

    def _columns_of_report(self, report_id: str) -> TableColumns | None:
        try:
            record = self._context.read_light_report(report_id)
        except DamagedRecordError:
            # It is listed as unreadable and must not keep the next report from being saved.
            return None
        return report_columns(record) if record is not None else None

    def _mixes_tables(self, name: str, limit: int | None = COMPARED_REPORTS) -> bool:
        """Return whether the newest reports are of several tables: their columns differ or alternate."""
        known = (each for each in self._columns_of_reports(name, limit) if each.complete)
        turns = [table for table, _ in groupby(map(_fold_columns, known))]
        tables = [TableColumns(tuple(table), complete=True) for table in set(turns)]
        return len(turns) > len(tables) or any(
            _are_different(one, other) for one, other in combinations(tables, 2)
        )

    def _has_report_of_table(self, dataset: str, table: str) -> bool:
        """Return whether a report of a dataset was saved from a file of a table."""
        return any(each.table == table for each in self._columns_of_reports(dataset, COMPARED_REPORTS))

    def _is_of_earlier_version(self, name: str) -> bool:
        """Return whether the newest report was saved when the former naming rule applied."""
        newest = next(iter(self._columns_of_reports(name, 1)), None)
        return newest is not None and not newest.listed

    def _is_adopted(self, name: str) -> bool:
        """Return whether all findings of a dataset were merged into other datasets."""
        has_findings = self._context.store.count(FindingQuery(dataset=(name,))) > 0
        return has_findings and not any(self._context.store.read_identities(datasets=[name]))

    def _leave_out_merged(self, pairs: Mapping[str, str]) -> dict[str, str]:
        """Leave out findings that are merged already, and follow merges of the targets."""
        names = {*pairs, *pairs.values()}
        merged = {name for name, record in self._triage.read_records(names).items() if record.merged_into}
        today = {name: self._context.resolve_finding(name) if name in merged else name for name in names}
        return {old: today[new] for old, new in pairs.items() if today[old] == old != today[new]}

    def _select_findings_to_adopt(
        self, former: str, dataset: str, occurrences: Sequence[FindingSummary], targets: Mapping[str, str]
    ) -> Collection[str]:
        """Return the findings of the former dataset that belong to the table of this dataset."""
        before, table = self._columns_of_dataset(former), self._columns_of_dataset(dataset)
        mixed = self._mixes_tables(former, limit=None)
        if mixed and table is not None:
            of_table = self._reports_of_table({each.report_id for each in occurrences}, table)
            found = (e for e in occurrences if e.report_id in of_table and _has_column(table, e.column))
            return {each.finding_id for each in found} & targets.keys()
        if not mixed and (before is None or table is None or not _are_different(before, table)):
            return targets.keys()
        names = sorted(set(targets.values()))
        present = (
            {identity.finding_id for identity in self._context.store.read_identities(names)}
            if names
            else set()
        )
        return {old for old, new in targets.items() if new in present}

    def _reports_of_table(self, report_ids: Collection[str], table: TableColumns) -> set[str]:
        """Return the reports of a table, as far as their columns are known."""
        columns = {report_id: self._columns_of_report(report_id) for report_id in report_ids}
        same = {report_id for report_id, each in columns.items() if each and _have_same_columns(each, table)}
        others = {
            report_id
            for report_id, each in columns.items()
            if each and (each.complete if same else _are_different(each, table))
        }
        return same | (columns.keys() - others)


def report_columns(report: ReportRecord) -> TableColumns | None:
    """Return the columns of the table of a report; None if it names none.

    They come from ``coverage["column_names"]``. Older reports name only the columns of their checks and the
    number of all columns; the columns of checks and findings may then be incomplete.
    """
    stored = report.metadata.get("coverage")
    coverage: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    names = coverage.get("column_names")
    if isinstance(names, list) and names:
        file = str(report.metadata.get("file") or "")
        table = dataset_name(file) if file else ""
        return TableColumns(tuple(map(str, names)), complete=True, listed=True, table=table)
    ran = coverage.get("ran")
    checked = (
        [entry.get("column") for entry in ran if isinstance(entry, Mapping)] if isinstance(ran, list) else []
    )
    found = [finding.column for finding in report.findings]
    partial = tuple(dict.fromkeys(str(name) for name in [*checked, *found] if name and name != WHOLE_ROW))
    if not partial:
        return None
    return TableColumns(partial, complete=coverage.get("columns") == len(partial))


def _may_continue(before: TableColumns, columns: Sequence[str], *, is_shared: bool) -> bool:
    """Return whether a table may continue a dataset under its former name."""
    now = TableColumns(tuple(columns), complete=True)
    if is_shared:
        return before.complete and _fold_columns(before) == _fold_columns(now)
    return not _are_different(before, now)


def _fold_column(column: str) -> str:
    return column.strip().casefold()


def _fold_columns(table: TableColumns) -> frozenset[str]:
    return frozenset(map(_fold_column, table.names))


def _compare_columns(before: TableColumns, now: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the missing columns, and the new ones if the earlier columns are complete."""
    old, new = set(map(_fold_column, before.names)), set(map(_fold_column, now))
    missing = tuple(name for name in before.names if _fold_column(name) not in new)
    added = tuple(name for name in now if _fold_column(name) not in old) if before.complete else ()
    return missing, added


def _are_different(one: TableColumns, other: TableColumns) -> bool:
    """Return whether two tables share fewer than half of the columns of the wider one.

    Of an incomplete table, the known columns count. Two incomplete tables cannot be compared.
    """
    names, others = _fold_columns(one), _fold_columns(other)
    complete = [len(found) for found, each in ((names, one), (others, other)) if each.complete]
    if not complete:
        return False
    widest = max(complete) if len(complete) == 2 else len(others if one.complete else names)
    return 2 * len(names & others) < widest


def _have_same_columns(one: TableColumns, other: TableColumns) -> bool:
    """Return whether two tables are known to have equal columns, in any order."""
    return one.complete and other.complete and _fold_columns(one) == _fold_columns(other)


def _has_column(table: TableColumns, column: str) -> bool:
    """Return whether a table has a column; every table has the whole row."""
    return column == WHOLE_ROW or _fold_column(column) in _fold_columns(table)


def _find_counterparts(occurrences: Sequence[FindingSummary], dataset: str) -> dict[str, str]:
    """Return the ids of findings in another dataset.

    Findings that were merged into a third dataset are left out.
    """
    return {
        each.finding_id: _fingerprint_in(dataset, each)
        for each in occurrences
        if _fingerprint_in(each.dataset, each) == each.finding_id
    }


def _fingerprint_in(dataset: str, finding: FindingSummary) -> str:
    """Return the fingerprint of a finding in a dataset."""
    metadata = {**finding.metadata, "dataset": dataset}
    return compute_field_fingerprint(
        finding.ghost_type, finding.column, finding.description, metadata, dataset
    )
