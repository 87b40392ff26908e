"""The store contract: what a backend must do, and all it may know.

A store reads, scans, counts, groups and applies. It validates nothing, raises no version, runs no
hook and writes no audit event of its own: the write path (:mod:`lavendertown.records.accessor`)
does, and hands the finished change set down.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, overload

from lavendertown.records.identities import Identity, Recent, Run, Said, Turn
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    By,
    FindingQuery,
    PlainQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.values import (
    FIRST,
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    Damage,
    FindingHeader,
    Kind,
    Move,
    Page,
    PlainRecord,
    Record,
    ReportHeader,
    RuleSetHeader,
    Stamp,
)


class Unit(abc.ABC):
    """One unit of work. Whoever holds it is the only writer of the records it stamped."""

    @abc.abstractmethod
    def stamps(
        self, keys: Iterable[tuple[str, str]], foreseen: Sequence[Record] = ()
    ) -> Mapping[tuple[str, str], Stamp]:
        """Return the stamps of those records that are stored, deleted ones too.

        Args:
            keys: The records, by kind and id.
            foreseen: What will be written if nothing stands against it; a store at the end of a wire may
                look up in the same trip what that takes.
        """

    @abc.abstractmethod
    def read(self, kind: str, record_id: str) -> Record | None:
        """Return the whole record as it stands inside this unit, deleted or not."""

    def place(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return these new records, which come without ids, with the ids the store gives them."""
        raise NotImplementedError("Records of this store bring their ids.")

    @abc.abstractmethod
    def apply(self, changes: ChangeSet) -> None:
        """Write all of it when the unit ends well, or nothing.

        The store keeps its derived data right: the identities' first and last sight, times seen,
        current status (of the latest live annotation that sets one), tags (of live annotations)
        and comment counts. An annotation on an id that no finding has yet is kept and joins the
        finding when it arrives under that id, under an alias of it, or under its 0.7 id.
        """


class Store(abc.ABC):
    """A place where records are kept."""

    @abc.abstractmethod
    def unit(self) -> AbstractContextManager[Unit]:
        """Open a unit of work: committed when the block ends well, undone when it raises.

        Raises:
            StorageUnavailableError: The store does not answer, or cannot be written.
        """

    @abc.abstractmethod
    def read(self, kind: Kind, record_id: str) -> Record | None:
        """Return the whole record, deleted or not, or None.

        Raises:
            DamagedRecordError: It is there but cannot be read.
        """

    @abc.abstractmethod
    def read_many(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Record]:
        """Return those whole records that are stored, deleted or not, by id.

        Raises:
            DamagedRecordError: One is there but cannot be read.
        """

    @overload
    def scan(self, query: ReportQuery, page: Page = ...) -> Sequence[ReportHeader]: ...
    @overload
    def scan(self, query: FindingQuery, page: Page = ...) -> Sequence[FindingHeader]: ...
    @overload
    def scan(self, query: AnnotationQuery, page: Page = ...) -> Sequence[AnnotationRecord]: ...
    @overload
    def scan(self, query: RuleSetQuery, page: Page = ...) -> Sequence[RuleSetHeader]: ...
    @overload
    def scan(self, query: AuditQuery, page: Page = ...) -> Sequence[AuditEvent]: ...
    @overload
    def scan(self, query: PlainQuery, page: Page = ...) -> Sequence[PlainRecord]: ...
    @abc.abstractmethod
    def scan(self, query: Query, page: Page = FIRST) -> Sequence[Any]:
        """Return one page of headers, in the order the query's class promises."""

    @abc.abstractmethod
    def count(self, query: Query) -> int:
        """Return how many records match."""

    @abc.abstractmethod
    def group(self, query: ReportQuery, by: By) -> Mapping[str, int]:
        """Return how many matching reports have each value."""

    @abc.abstractmethod
    def resolve(self, finding_id: str) -> str:
        """Return the fingerprint behind any name of a finding; an unknown name is its own."""

    @abc.abstractmethod
    def aliases(self) -> Mapping[str, str]:
        """Return the older ids of findings that are kept, and the ids those have today."""

    @abc.abstractmethod
    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        """Return one finding's packed rows, see :mod:`lavendertown.rows`."""

    @abc.abstractmethod
    def identities(
        self, names: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        """Return the findings that live reports hold, each once.

        Args:
            names: Only those with these fingerprints.
            datasets: Only those of these datasets.
        """

    @abc.abstractmethod
    def said(self, names: Sequence[str] | None = None) -> Iterable[Said]:
        """Return the live annotations, or those on the findings with these fingerprints."""

    @abc.abstractmethod
    def runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, Run]:
        """Return the newest runs of each dataset, or of those named, that has any."""

    @abc.abstractmethod
    def recent(self, names: Sequence[str]) -> Mapping[str, Recent]:
        """Return where the findings with these fingerprints were seen last, in live reports."""

    @abc.abstractmethod
    def fingerprints(self, report_ids: Sequence[str], severities: Sequence[str] = ()) -> frozenset[str]:
        """Return the fingerprints of the findings that these reports hold, deleted ones too.

        Args:
            report_ids: The reports.
            severities: Only those that a report calls so grave.
        """

    @abc.abstractmethod
    def turns(self, datasets: Sequence[str] | None = None) -> Sequence[Turn]:
        """Return the live annotations that set a status, oldest first, then by their ids.

        Args:
            datasets: Only those on findings of these datasets.
        """

    @abc.abstractmethod
    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        """Return a mark for now, and the audit events committed since an earlier one.

        Args:
            mark: What an earlier call returned; None for none. It is this store object's own.

        Returns:
            The mark, and the events; None instead of them where they cannot be told.
        """

    @abc.abstractmethod
    def known_tags(self) -> Sequence[str]:
        """Return the tags in use on live reports and findings, most used first, then by name."""

    @abc.abstractmethod
    def revision(self) -> str:
        """Return a token that is another one after every committed change."""

    @abc.abstractmethod
    def moves(self) -> Sequence[Move]:
        """Return the ledger of moves into this store, oldest first."""

    @abc.abstractmethod
    def frozen(self) -> AbstractContextManager[None]:
        """Let nobody commit a change while the block runs; who tries, waits. Reading goes on.

        Raises:
            StorageUnavailableError: The store does not answer, or cannot be written.
        """

    @abc.abstractmethod
    def check(self) -> None:
        """Do a real read.

        Raises:
            StorageError: With one sentence that says why not.
        """

    @abc.abstractmethod
    def describe(self) -> str:
        """Say in a few words what this store is and where, without passwords."""

    @abc.abstractmethod
    def damage(self) -> Sequence[Damage]:
        """Name what is there but cannot be read."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of connections. The store may be used again; it reopens by itself."""
