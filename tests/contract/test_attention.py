"""Which findings need attention, and why, on every store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock, statuses
from lavendertown.errors import InvalidInputError
from tests.contract.builders import at, finding, report
from tests.contract.test_desk import DAY, name_of, row_of, run


@pytest.fixture
def at_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Set the time of the clock to noon of a day of the test data."""

    def travel(day: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: at(int(day * DAY)) + dt.timedelta(hours=12))

    return travel


def sized(storage: Storage, day: int, count: int, severity: str = "error", share: float = 0.1) -> None:
    """Save a day's run with one finding of this size."""
    metadata = {"check": "nulls", "params": {}, "count": count, "share": share}
    found = finding("email", severity=severity, metadata=metadata)
    ran = {"ran": [{"check": "nulls", "column": "email", "params": {}, "outcome": "found"}]}
    storage.save_report(
        report(
            f"day {day}", [found], created_at=at(day * DAY), metadata={"dataset": "orders", "coverage": ran}
        )
    )


def reasons(storage: Storage) -> list[str]:
    found: list[str] = row_of(storage)["attention"]
    counted = storage.inbox.count_by_value()["attention"]
    assert counted == dict.fromkeys(found, 1)
    assert storage.inbox.count(attention="any") == bool(found)
    return found


def decide(storage: Storage, **decision: Any) -> None:
    storage.triage.decide(name_of(), Decision(**decision), actor="Maya")


def test_a_new_warning_needs_attention_until_somebody_acts(storage: Storage, at_day: Any) -> None:
    at_day(0)
    sized(storage, 0, 5, "warning")
    assert reasons(storage) == ["new"]
    decide(storage, comment="I look at it.")
    assert reasons(storage) == []


@pytest.mark.parametrize(
    "decision", [{"assignee": "Ben"}, {"status": "needs-investigation"}, {"tags": ("x",)}]
)
def test_assigning_or_a_status_is_an_act(storage: Storage, at_day: Any, decision: dict[str, Any]) -> None:
    at_day(0)
    sized(storage, 0, 5, "warning")
    decide(storage, **decision)
    assert reasons(storage) == []


def test_info_findings_never_need_attention(storage: Storage, at_day: Any) -> None:
    at_day(0)
    sized(storage, 0, 5, "info")
    assert reasons(storage) == []


def test_an_open_error_needs_attention_until_it_is_assigned(storage: Storage, at_day: Any) -> None:
    at_day(2)
    sized(storage, 0, 5)
    sized(storage, 1, 5)
    assert reasons(storage) == ["unassigned"]
    decide(storage, status="reviewed")
    assert reasons(storage) == ["unassigned"]
    decide(storage, assignee="Ben")
    assert reasons(storage) == []


def test_an_accepted_finding_may_double_and_not_more(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="accepted", reason="Known gap.")
    at_day(3)
    row = row_of(storage)
    assert (row["ceiling_count"], row["ceiling_share"], row["attention"]) == (10, None, [])
    sized(storage, 1, 10)
    assert reasons(storage) == []
    sized(storage, 2, 11)
    assert reasons(storage) == ["worse"]
    decide(storage, status="accepted", reason="Still.")
    assert (row_of(storage)["ceiling_count"], reasons(storage)) == (22, [])


def test_an_acceptance_by_an_annotation_has_the_same_ceiling(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    storage.save_annotation(Annotation("a", name_of(), "Maya", at(12), "Known.", status="accepted"))
    at_day(2)
    sized(storage, 1, 11)
    assert reasons(storage) == ["worse"]


@pytest.mark.parametrize(
    ("decision", "grown", "expected"),
    [
        ({"ceiling_count": 1000}, (900, 0.9), []),
        ({"ceiling_count": 6}, (7, 0.1), ["worse"]),
        ({"ceiling_share": 0.2}, (900, 0.2), []),
        ({"ceiling_share": 0.2}, (6, 0.3), ["worse"]),
        ({"has_no_ceiling": True}, (10**6, 1.0), []),
    ],
)
def test_a_ceiling_is_a_number_or_share_of_rows_or_none(
    storage: Storage, at_day: Any, decision: dict[str, Any], grown: tuple[int, float], expected: list[str]
) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="accepted", reason="Known.", **decision)
    at_day(2)
    sized(storage, 1, grown[0], share=grown[1])
    assert reasons(storage) == expected


def test_an_acceptance_ends_at_its_date_without_any_write(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="accepted", reason="Until the loader is new.", accepted_until=at(3 * DAY))
    at_day(2)
    assert reasons(storage) == []
    at_day(3)
    assert reasons(storage) == ["expired"]
    decide(storage, status="open")
    assert (row_of(storage)["accepted_until"], reasons(storage)) == (None, ["unassigned"])


def test_an_ended_or_outgrown_snooze_says_why(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5, "warning")
    at_day(0)
    decide(storage, assignee="Ben", snooze_until=at(2 * DAY), snooze_factor=3.0)
    assert reasons(storage) == []
    at_day(2)
    assert reasons(storage) == ["expired"]
    sized(storage, 1, 16, "warning")
    assert reasons(storage) == ["worse", "expired"]
    decide(storage, unsnooze=True)
    assert reasons(storage) == []


def test_a_fix_waits_for_a_run_that_completes_the_check(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="fixed", reason="Loader repaired.")
    at_day(9)
    row = row_of(storage)
    assert (row["verified_in"], row["runs_since_fix"], row["attention"]) == ("", 0, [])
    storage.save_report(run(1, ran=("phone",)))
    storage.save_report(run(2, ran=("email",)))
    storage.save_report(run(3, ran=("phone",)))
    row = row_of(storage)
    assert (row["verified_in"], row["verified_at"], row["attention"]) == ("orders 2", at(2 * DAY), [])


def test_a_fix_that_three_runs_did_not_check_is_unconfirmed(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="fixed", reason="Loader repaired.")
    at_day(9)
    for day in (1, 2):
        storage.save_report(run(day, ran=("phone",)))
    assert (row_of(storage)["runs_since_fix"], reasons(storage)) == (2, [])
    storage.save_report(run(3, ran=("phone",)))
    assert (row_of(storage)["runs_since_fix"], reasons(storage)) == (3, ["unconfirmed"])
    storage.save_report(run(4, ran=("email",)))
    assert reasons(storage) == []
    storage.delete_report("orders 4")
    assert reasons(storage) == ["unconfirmed"]


def test_a_finding_that_is_seen_after_its_fix_has_regressed(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5, "warning")
    at_day(0)
    decide(storage, status="fixed", reason="Loader repaired.", assignee="Ben")
    at_day(3)
    sized(storage, 2, 5, "warning")
    assert reasons(storage) == ["regressed"]


def test_open_and_closed_count_every_finding_once(storage: Storage, at_day: Any) -> None:
    columns = [f"c{i}" for i in range(len(statuses.ALL) + 1)]
    storage.save_report(run(0, *columns))
    at_day(0)
    for column, status in zip(columns, statuses.NAMES, strict=False):
        storage.triage.decide(name_of(column), Decision(status=status, reason="Because."), actor="Maya")
    storage.triage.decide(name_of("c1"), Decision(snooze_until=at(9 * DAY)), actor="Maya")
    assert storage.inbox.count_by_value()["state"] == {"open": 4, "closed": 3}
    assert storage.inbox.count(state="open") == storage.inbox.count(status=list(statuses.OPEN_NAMES)) == 4


@pytest.mark.parametrize(
    "decision",
    [
        {"ceiling_count": 3},
        {"status": "fixed", "reason": "x", "has_no_ceiling": True},
        {"status": "accepted", "reason": "x", "has_no_ceiling": True, "ceiling_count": 3},
        {"status": "accepted", "reason": "x", "ceiling_share": 5.0},
    ],
)
def test_impossible_terms_are_refused(storage: Storage, decision: dict[str, Any]) -> None:
    sized(storage, 0, 5)
    with pytest.raises(InvalidInputError):
        decide(storage, **decision)


def test_a_new_status_ends_the_terms_of_an_earlier_acceptance(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5)
    at_day(0)
    decide(storage, status="accepted", reason="Known.", has_no_ceiling=True, accepted_until=at(3 * DAY))
    storage.save_annotation(Annotation("a", name_of(), "Ben", at(13), "", status="open"))
    storage.save_annotation(Annotation("b", name_of(), "Ben", at(14), "Known again.", status="accepted"))
    row = row_of(storage)
    assert (row["ceiling_count"], row["has_no_ceiling"], row["accepted_until"]) == (10, False, None)
    at_day(4)
    sized(storage, 4, 11)
    assert reasons(storage) == ["worse"]


def test_a_snoozed_finding_whose_check_passes_needs_no_attention(storage: Storage, at_day: Any) -> None:
    sized(storage, 0, 5, "warning")
    at_day(0)
    decide(storage, assignee="Ben", snooze_factor=2.0)
    sized(storage, 1, 11, "warning")
    assert reasons(storage) == ["worse"]
    storage.save_report(run(2, ran=("email",)))
    assert reasons(storage) == []
