"""The answers that filled worklists have, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RowAnswer:
    """The answer for one row of a worklist.

    Attributes:
        worklist_id: The worklist.
        number: The number of the row in it.
        answer: ``done`` or ``cannot``.
        reason: Why not, or a remark; may be empty for ``done``.
        place: Where it was read, for messages: ``a.xlsx, row 7``.
    """

    worklist_id: str
    number: int
    answer: str
    reason: str = ""
    place: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """The row."""
        return self.worklist_id, self.number

    @property
    def content(self) -> tuple[str, str]:
        """What is compared with another answer for the row."""
        return self.answer, self.reason


@dataclass(frozen=True)
class RowProblem:
    """A row of a file whose answer cannot be taken.

    Attributes:
        place: Where it is: ``a.xlsx, row 7``.
        text: A sentence about what is wrong and what to do.
    """

    place: str
    text: str


@dataclass(frozen=True)
class FilledRows:
    """What filled files say.

    Attributes:
        answers: The answers, at most one for each row.
        problems: The rows whose answers cannot be taken.
        rows: All rows of worklists in the files, answered or not.
    """

    answers: tuple[RowAnswer, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    rows: frozenset[tuple[str, int]] = frozenset()


def join_filled_rows(files: Sequence[FilledRows]) -> FilledRows:
    """Join what several files say; a row with different answers becomes a problem."""
    problems = [problem for each in files for problem in each.problems]
    answers = drop_contradictions([answer for each in files for answer in each.answers], problems)
    return FilledRows(tuple(answers), tuple(problems), frozenset(row for each in files for row in each.rows))


def drop_contradictions(answers: Sequence[RowAnswer], problems: list[RowProblem]) -> list[RowAnswer]:
    """Return the first answer of each row; rows with different ones are added to the problems instead."""
    by_row: dict[tuple[str, int], list[RowAnswer]] = {}
    for answer in answers:
        by_row.setdefault(answer.key, []).append(answer)
    kept = []
    for same in by_row.values():
        other = next((each for each in same if each.content != same[0].content), None)
        if other is None:
            kept.append(same[0])
        else:
            problems.append(
                RowProblem(
                    other.place,
                    f"This row is answered twice: {describe_answer(same[0].answer, same[0].reason)} in "
                    f"{same[0].place}, and {describe_answer(other.answer, other.reason)} here. Keep one.",
                )
            )
    return kept


def describe_answer(answer: str, reason: str) -> str:
    """Return an answer in words: ``'cannot' (the supplier is closed)``."""
    shown = reason if len(reason) <= 100 else f"{reason[:99]}…"
    return f"'{answer}' ({shown})" if shown else f"'{answer}'"
