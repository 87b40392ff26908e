"""The answers of worklists: what is stored, what reading filled files would change, and what it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from lavendertown.interchange.worklists.answers import RowAnswer, RowProblem


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that is stored.

    Attributes:
        answer: ``done`` or ``cannot``.
        reason: The reason or remark; may be empty.
        by, at: Who read the filled file in, and when.
    """

    answer: str
    reason: str
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class AnswerConflict:
    """An answer in a file that differs from the one that a colleague stored.

    Attributes:
        answer: The answer in the file.
        stored: The stored answer.
        row: The number of the row as the source counts it.
        row_key: The key of the row; empty if it is not stored.
    """

    answer: RowAnswer
    stored: StoredAnswer
    row: int
    row_key: str


@dataclass(frozen=True, slots=True)
class AnswersPreview:
    """What reading filled files would change.

    Attributes:
        changes: The answers to store: new ones, and changed ones of the same author.
        unchanged: The number of answers that are stored already.
        conflicts: The answers that differ from those of colleagues.
        problems: The rows whose answers cannot be taken.
        open_count: The number of rows of these worklists that have no answer, in the files or stored.
        worklist_ids: The worklists.
    """

    changes: tuple[RowAnswer, ...]
    unchanged: int
    conflicts: tuple[AnswerConflict, ...]
    problems: tuple[RowProblem, ...]
    open_count: int
    worklist_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SavedAnswers:
    """The result of reading filled files.

    Attributes:
        preview: What the files had; its conflicts were overwritten if ``overwritten`` is not 0.
        saved: The number of answers that were stored.
        overwritten: How many of them replaced an answer of a colleague.
        versions: The changed worklists with their versions, for ``storage.worklists.undo``.
    """

    preview: AnswersPreview
    saved: int = 0
    overwritten: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
