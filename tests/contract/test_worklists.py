"""Rows given out to people, and their answers, on every store."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError, LavenderTownError, NotFoundError
from lavendertown.interchange.exports.tables import write_excel
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer, RowProblem
from lavendertown.interchange.worklists.worklist_file import FindingRows, Worklist
from lavendertown.records.record_classes import RecordKind, WorklistRecord
from lavendertown.records.write_path import SaveRecord
from tests.contract.builders import finding, report
from tests.contract.test_desk import name_of

ROWS = 3


@pytest.fixture
def store(storage: Storage) -> Storage:
    found = [finding(column, row_indices=list(range(ROWS))) for column in ("email", "phone")]
    storage.save_report(report("r1", found, metadata={"dataset": "orders"}))
    return storage


def rows_of(column: str, count: int = ROWS) -> FindingRows:
    keys = [f"A-{number}" for number in range(count)]
    return FindingRows(
        name_of(column), f"{column} is empty", "orders", column, range(count), 2, stored_keys=keys
    )


def give_out(store: Storage, *columns: str) -> Worklist:
    (made,) = store.worklists.create("r1", [rows_of(each) for each in columns or ("email",)], actor="Ana")
    return made


def filled(worklist: Worklist, **answers: str) -> FilledRows:
    """Answers by row number: ``_1="done"``, ``_2="cannot: closed"``."""
    found = []
    for name, text in answers.items():
        answer, _, reason = text.partition(": ")
        found.append(RowAnswer(worklist.id, int(name[1:]), answer, reason, f"a.xlsx, row {name[1:]}"))
    rows = frozenset((worklist.id, number) for number in range(1, worklist.row_count + 1))
    return FilledRows(tuple(found), (), rows)


def counts(store: Storage, column: str = "email") -> tuple[int, int, int]:
    of = store.worklists.count_answers("r1")[name_of(column)]
    assert of["answered_count"] == of["done_count"] + of["cannot_count"]
    return of["row_count"], of["done_count"], of["cannot_count"]


def test_each_assignee_gets_a_worklist_of_their_own(store: Storage) -> None:
    store.triage.decide(name_of("phone"), Decision(assignee="Ben"), actor="Ana")
    unassigned, ben = store.worklists.create("r1", [rows_of("email"), rows_of("phone")], actor="Ana")
    assert (unassigned.owner, ben.owner) == ("", "Ben")
    assert [each.finding_id for each in ben.findings] == [name_of("phone")]
    listed = {row["id"]: row for row in store.worklists.query("r1")}
    assert listed[ben.id]["owner"] == "Ben"
    assert (listed[ben.id]["dataset"], listed[ben.id]["created_by"]) == ("orders", "Ana")
    assert (listed[ben.id]["row_count"], listed[ben.id]["done_count"]) == (ROWS, 0)
    assert store.worklists.query("another report") == []
    assert len(store.worklists.query()) == 2
    assert store.worklists.find(ben.id) == listed[ben.id]


def test_answers_land_on_their_rows_and_are_counted(store: Storage) -> None:
    made = give_out(store, "email", "phone")
    assert counts(store) == (ROWS, 0, 0)
    saved = store.worklists.save_answers(
        filled(made, _1="done", _3="cannot: closed", _6="done"), author="Ben"
    )
    assert (saved.saved, saved.overwritten, saved.preview.open_count) == (3, 0, 3)
    assert (counts(store), counts(store, "phone")) == ((ROWS, 1, 1), (ROWS, 1, 0))
    (reason,) = store.worklists.count_answers("r1")[name_of("email")]["reasons"]
    assert (reason["row"], reason["key"], reason["reason"], reason["by"]) == (4, "A-2", "closed", "Ben")
    (row,) = store.worklists.query()
    assert (row["done_count"], row["cannot_count"], row["last_read_by"]) == (2, 1, "Ben")


def test_a_preview_writes_nothing(store: Storage) -> None:
    made = give_out(store)
    preview = store.worklists.preview(filled(made, _1="done"), author="Ben")
    assert ([each.number for each in preview.changes], preview.open_count) == ([1], ROWS - 1)
    assert counts(store) == (ROWS, 0, 0)


def test_the_same_file_again_changes_nothing(store: Storage) -> None:
    made = give_out(store)
    answers = filled(made, _1="done", _2="cannot: closed")
    store.worklists.save_answers(answers, author="Ben")
    before = store.worklists.query()
    again = store.worklists.save_answers(answers, author="Cy")
    assert (again.saved, again.preview.unchanged, again.preview.conflicts) == (0, 2, ())
    assert store.worklists.query() == before


def test_a_different_answer_of_a_colleague_is_kept_and_shown(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _2="cannot: closed"), author="Ben")
    saved = store.worklists.save_answers(filled(made, _1="done", _2="done"), author="Cy")
    (conflict,) = saved.preview.conflicts
    assert (conflict.row, conflict.row_key, conflict.answer.answer) == (3, "A-1", "done")
    assert (conflict.stored.answer, conflict.stored.reason, conflict.stored.by) == ("cannot", "closed", "Ben")
    assert (saved.saved, counts(store)) == (1, (ROWS, 1, 1))
    saved = store.worklists.save_answers(filled(made, _1="done", _2="done"), author="Cy", overwrite=True)
    assert (saved.saved, saved.overwritten, counts(store)) == (1, 1, (ROWS, 2, 0))


def test_people_may_change_their_own_answers(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _2="cannot: closed"), author="Ben")
    saved = store.worklists.save_answers(filled(made, _2="done"), author="Ben")
    assert (saved.saved, saved.preview.conflicts, counts(store)) == (1, (), (ROWS, 1, 0))


def test_an_excel_export_has_the_answers(store: Storage) -> None:
    def sheets() -> Workbook:
        return load_workbook(io.BytesIO(write_excel(store.exports.read_report("r1"))))

    assert sheets().sheetnames == ["Findings", "Samples"]
    store.worklists.save_answers(filled(give_out(store), _1="done", _3="cannot: =closed"), author="Ben")
    _, row = sheets()["Worklists"].iter_rows(values_only=True)
    assert row[3:] == (ROWS, 1, 1, "row 4: cannot, =closed (Ben)")


def test_a_row_without_an_answer_keeps_the_stored_one(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _1="done"), author="Ben")
    saved = store.worklists.save_answers(filled(made, _2="done"), author="Ben")
    assert (saved.preview.open_count, counts(store)) == (1, (ROWS, 2, 0))


def test_a_row_in_two_worklists_counts_once_and_conflicts_across_them(store: Storage) -> None:
    first, second = give_out(store), give_out(store)
    store.worklists.save_answers(filled(first, _1="done"), author="Ben")
    assert counts(store) == (ROWS, 1, 0)
    saved = store.worklists.save_answers(filled(second, _1="cannot: no"), author="Cy")
    assert (saved.saved, len(saved.preview.conflicts)) == (0, 1)
    store.worklists.save_answers(filled(second, _1="cannot: no"), author="Cy", overwrite=True)
    assert counts(store) == (ROWS, 0, 1)


def test_reading_can_be_undone_also_when_it_overwrote(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _2="cannot: closed"), author="Ben")
    saved = store.worklists.save_answers(filled(made, _1="done", _2="done"), author="Cy", overwrite=True)
    assert store.worklists.undo(saved.versions, actor="Cy") == 2
    assert counts(store) == (ROWS, 0, 1)
    (reason,) = store.worklists.count_answers("r1")[name_of("email")]["reasons"]
    assert (reason["by"], reason["reason"]) == ("Ben", "closed")
    assert store.worklists.undo({made.id: None}, actor="Cy") == 0
    assert store.worklists.query()[0]["last_read_at"] is None


def test_an_undo_leaves_a_worklist_that_was_read_again(store: Storage) -> None:
    made = give_out(store)
    saved = store.worklists.save_answers(filled(made, _1="done"), author="Ben")
    store.worklists.save_answers(filled(made, _2="done"), author="Cy")
    assert store.worklists.undo(saved.versions, actor="Ben") == 0
    assert store.worklists.undo({made.id: None}, actor="Ben") == 1
    assert counts(store) == (ROWS, 1, 0)


def test_the_audit_log_has_counts_and_no_content(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _1="done", _2="cannot: Secret reason"), author="Ben")
    update, create = store.audit_log(component="worklist")
    assert (create["operation"], create["actor"], create["after"]["row_count"]) == ("create", "Ana", ROWS)
    assert (update["operation"], update["actor"]) == ("update", "Ben")
    assert (update["after"]["done_count"], update["after"]["cannot_count"]) == (1, 1)
    assert "Secret" not in str(update)
    assert "A-0" not in str(create)


def test_a_deleted_worklist_counts_no_more_and_can_be_restored(store: Storage) -> None:
    made = give_out(store)
    store.worklists.save_answers(filled(made, _1="done"), author="Ben")
    assert store.worklists.delete(made.id, actor="Ana")
    assert (store.worklists.count_answers("r1"), store.worklists.query()) == ({}, [])
    with pytest.raises(NotFoundError, match="was deleted; restore it from the trash"):
        store.worklists.preview(filled(made, _2="done"), author="Ben")
    assert store.worklists.restore(made.id, actor="Ana")
    assert counts(store) == (ROWS, 1, 0)


def test_answers_follow_a_merged_finding(store: Storage) -> None:
    made = give_out(store)
    store.triage.merge_findings([name_of("email")], name_of("phone"), actor="Ana")
    store.worklists.save_answers(filled(made, _1="done"), author="Ben")
    assert counts(store, "phone") == (ROWS, 1, 0)


def test_a_file_of_another_store_is_refused_and_a_part_of_one_is_named(store: Storage) -> None:
    made = give_out(store)
    other = replace(made, id="w-0123456789ab")
    with pytest.raises(NotFoundError, match="no worklist 'w-0123456789ab' in this store"):
        store.worklists.save_answers(filled(other, _1="done"), author="Ben")
    mixed, foreign = filled(made, _1="done"), filled(other, _1="done")
    both = FilledRows((*mixed.answers, *foreign.answers), (), mixed.rows | foreign.rows)
    saved = store.worklists.save_answers(both, author="Ben")
    assert saved.saved == 1
    assert saved.preview.problems == (
        RowProblem(
            "3 rows",
            "There is no worklist 'w-0123456789ab' in this store. Read the file where it was made.",
        ),
    )


def test_an_invented_row_number_is_a_problem(store: Storage) -> None:
    saved = store.worklists.save_answers(filled(give_out(store), _99="done"), author="Ben")
    (problem,) = saved.preview.problems
    assert (saved.saved, problem.place) == (0, "a.xlsx, row 99")


def test_two_people_reading_at_once_lose_nothing(store: Storage) -> None:
    made = give_out(store, "email", "phone")

    def read(number: int) -> int:
        answers = filled(made, **{f"_{number}": "done"})
        return store.worklists.save_answers(answers, author=f"P{number}").saved

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(read, (1, 2, 3))) == 3
    assert counts(store) == (ROWS, 3, 0)


@pytest.mark.parametrize(
    ("choose", "text"),
    [
        (lambda s: s.worklists.choose_findings("nope"), "There is no report 'nope'"),
        (lambda s: s.worklists.choose_findings("r\0"), "There is no report"),
        (lambda s: s.worklists.choose_findings("r1", ["f1-x"]), "The report 'r1' has no finding 'f1-x'."),
    ],
)
def test_what_cannot_be_chosen_is_named(store: Storage, choose: Callable[[Storage], Any], text: str) -> None:
    with pytest.raises(LavenderTownError) as refused:
        choose(store)
    assert text in str(refused.value)


def test_open_findings_with_rows_are_chosen_unless_others_are_named(store: Storage) -> None:
    closed = Decision(status="fixed", reason="Loaded again.")
    store.triage.decide(name_of("phone"), closed, actor="Ana")
    store.save_report(report("r2", [finding("fax", row_indices=None)]))
    ((name, chosen),) = store.worklists.choose_findings("r1")
    assert (name, chosen.row_indices) == (name_of("email"), [0, 1, 2])
    ((name, chosen),) = store.worklists.choose_findings("r1", [name_of("phone")], first=2)
    assert (name, chosen.row_indices) == (name_of("phone"), [0, 1])
    with pytest.raises(InvalidInputError, match="no open finding whose rows are recorded"):
        store.worklists.choose_findings("r2")


def test_more_rows_than_a_worklist_can_have_are_refused(store: Storage) -> None:
    store.save_report(report("big", [finding(row_indices=list(range(5_001)))]))
    with pytest.raises(
        InvalidInputError, match=r"The unassigned findings have 5,001 rows; a worklist can have at most 5,000"
    ):
        store.worklists.choose_findings("big")
    assert len(store.worklists.choose_findings("big", first=5_000)[0][1].row_indices or ()) == 5_000
    with pytest.raises(InvalidInputError, match=r"worklist of 5,001 rows is too large"):
        store.worklists.create("r1", [rows_of("email", 5_001)], actor="Ana")
    assert store.worklists.query() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": {"7": {"answer": "done", "reason": "", "by": "Ana", "at": "2026-01-01T00:00:00+00:00"}}},
        {"answers": {"1": {"answer": "maybe", "reason": "", "by": "Ana", "at": "2026-01-01T00:00:00+00:00"}}},
        {"answers": {"1": {"answer": "done", "reason": "", "by": "Ana", "at": "soon"}}},
        {"answers": {"1": {"answer": "done"}}},
        {"findings": ({"finding_id": "f", "first_row": 2, "positions": ["x"], "keys": [""]},)},
        {"row_count": 2},
        {"last_read": {"former": [1]}},
    ],
)
def test_damaged_content_is_never_written(store: Storage, changes: dict[str, Any]) -> None:
    give_out(store)
    record = store.store.read_record(RecordKind.WORKLIST, store.worklists.query()[0]["id"])
    assert isinstance(record, WorklistRecord)
    with pytest.raises(InvalidInputError, match="damaged"):
        store.write_path.commit([SaveRecord(replace(record, **changes), actor="Ana")])
