"""Released database schemas and file formats are read, and written on, for good."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.stores.sql.schema.upgrade import upgrade_database
from tests.schema.make_first_assets import ASSETS, DATABASE, EVIDENCE, FOLDER, START, findings
from tests.support.receivers import http_receiver

MOVED = ASSETS / "0002"


@pytest.fixture(params=["file", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    made = opened(FOLDER if request.param == "file" else DATABASE, tmp_path)
    yield made
    made.close()


def opened(asset: Path, tmp_path: Path) -> Storage:
    """Open a copy of an asset; a database is brought up to date first."""
    if asset.is_dir():
        return FileStorage(shutil.copytree(asset, tmp_path / "store"))
    url = f"sqlite:///{shutil.copy(asset, tmp_path / 'store.db')}"
    upgrade_database(url)
    return DatabaseStorage(url)


def test_everything_in_it_is_read(storage: Storage) -> None:
    assert storage.unreadable_items() == []
    assert [row["id"] for row in storage.query_reports(include_deleted=True)] == ["week 1", "week 0", "gone"]
    week = storage.load_report("week 1")
    assert week is not None
    assert week.created_at == START + dt.timedelta(weeks=1)
    assert [found.row_indices for found in week.findings] == [found.row_indices for found in findings(11)]
    assert week.findings[1].metadata["deep"] == [1, None]
    assert [(note.id, note.status, note.tags) for note in week.annotations] == [
        ("a1", "reviewed", ["till"]),
        ("a2", "fixed", []),
    ]
    assert week.ruleset is not None
    assert storage.load_ruleset("nightly") == week.ruleset
    (first, _) = storage.query_findings("week 0")
    # It was fixed after the first week, and is back in the second.
    assert (first["status"], first["tags"], first["times_seen"]) == ("open", ["till"], 2)
    assert [note.comment for note in storage.get_annotations("nobody has it yet")] == ["Waiting."]
    assert len(storage.audit_log(limit=None)) == 10


def test_it_can_be_worked_on(storage: Storage) -> None:
    (first, _) = storage.query_findings("week 1")
    reopened = Annotation("a5", first["finding_id"], "Cy", START + dt.timedelta(days=30), "Back.", [], "open")
    storage.save_annotation(reopened)
    assert storage.restore_report("gone", actor="Cy")
    assert storage.restore_annotation("a4", actor="Cy")
    assert [note.id for note in storage.get_annotations(first["finding_id"])] == ["a1", "a4", "a2", "a5"]
    assert storage.count_reports(status="open") == 2
    assert storage.count_reports() == 3


@pytest.mark.parametrize(
    "store",
    [
        "0003/folder",
        "0003/lavendertown.db",
        "0004/folder",
        "0004/lavendertown.db",
        "0005/lavendertown.db",
        "0006/lavendertown.db",
        "0007/lavendertown.db",
        "0008/lavendertown.db",
        "0009/folder",
        "0009/lavendertown.db",
        "0010/folder",
        "0010/lavendertown.db",
        "0011/folder",
        "0011/lavendertown.db",
        "0012/folder",
        "0012/lavendertown.db",
        "0013/folder",
        "0013/lavendertown.db",
        "0014/folder",
        "0014/lavendertown.db",
    ],
)
def test_decisions_people_and_views_are_read(store: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / store, tmp_path)
    assert storage.unreadable_items() == []
    week = {row["column"]: row for row in storage.inbox.query(dataset="orders")}
    street, price = week["straße"], week["price"]
    assert (street["assignee"], street["note"], street["snoozed"]) == ("Ben", "See the **wiki**.", True)
    assert (street["seen"], street["comment_count"]) == ("regressed", 2 if store < "0013" else 3)
    assert (price["status"], price["close_reason"], price["snooze_factor"]) == ("accepted", "Prices move.", 2)
    assert (price["ceiling_share"], price["has_no_ceiling"]) == (
        None if store < "0010" else 0.5,
        False,
    )
    assert storage.triage.load(price["finding_id"])["stands_alone"] == (not store.startswith("0003"))
    assert storage.findings.resolve_id("nobody has it yet") == street["finding_id"]
    assert {"name": "Ben", "mail": "ben@example.org", "initials": "B"} in storage.people.list_known()
    assert [view["query"] for view in storage.views.query()] == [{"assignee": ["Ben"]}]
    storage.triage.unmerge_finding("nobody has it yet", actor="Cy")
    assert [note.comment for note in storage.get_annotations("nobody has it yet")] == ["Waiting."]
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_settings_of_datasets_and_evidence_are_read(name: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / "0009" / name, tmp_path)
    assert storage.dataset_settings.load("orders", "reading") == {"delimiter": ";"}
    assert storage.reports.load_evidence("week 1") == EVIDENCE
    assert storage.reports.load_evidence("week 0") is None
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_incidents_are_read(name: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / "0011" / name, tmp_path)
    (incident,) = storage.incidents.query()
    assert (incident["title"], incident["assignee"], incident["created_by"]) == ("Tills – ü", "Ben", "Ana")
    assert [row["column"] for row in storage.inbox.load_rows(incident["members"])] == ["straße", "price"]
    assert (incident["state"], incident["status"], incident["open_count"]) == ("open", None, 1)
    comments = storage.incidents.list_comments(incident["id"])
    assert [note.comment for note in comments] == ["The network was **down**."]
    (deleted,) = (each for each in storage.incidents.query(include_deleted=True) if each["deleted_at"])
    assert storage.incidents.restore(deleted["id"], actor="Cy")
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_worklists_are_read(name: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / "0012" / name, tmp_path)
    (worklist,) = storage.worklists.query("week 1")
    assert (worklist["owner"], worklist["row_count"], worklist["cannot_count"]) == ("Ben", 2, 1)
    (counts,) = storage.worklists.count_answers("week 1").values()
    (reason,) = counts["reasons"]
    assert (reason["row"], reason["key"], reason["reason"]) == (5, "", "The till is gone – ü")
    assert storage.worklists.undo({worklist["id"]: None}, actor="Cy") == 1
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_a_store_that_0_7_was_moved_into_is_read(name: str, tmp_path: Path) -> None:
    storage = opened(MOVED / name, tmp_path)
    assert storage.unreadable_items() == []
    assert storage.count_reports(include_deleted=True) == 5
    assert [note.id for note in storage.get_annotations("e3cbb442d154a5c3b1d2d2f3c691ef40")] == [
        "note-1",
        "note-2",
    ]
    (move,) = storage.store.migrations()
    assert (move.source, move.finished_at is not None) == ("files in tests/schema/assets/071/folder", True)
    assert storage.audit_log(component="store")[0]["record_id"] == move.id
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_hidden_columns_are_read(name: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / "0014" / name, tmp_path)
    assert storage.people.load_hidden_columns("Ben") == ["seen", "tags"]
    storage.close()


@pytest.mark.parametrize("name", ["folder", "lavendertown.db"])
def test_notifications_are_read_and_sent(name: str, tmp_path: Path) -> None:
    storage = opened(ASSETS / "0013" / name, tmp_path)
    (row,) = storage.notifications.query()
    assert (row["channel"], row["event"], row["recipient"]) == ("team", "mention", "Ben")
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert row["problem"] == "127.0.0.1 did not answer: the connection failed."
    with http_receiver() as receiver:
        team = NotificationChannel("team", "webhook", url=receiver.url, allow_private=True)
        later = row["next_attempt_at"]
        assert storage.notifications.deliver_due([team], "", later).delivered == 1
        assert storage.notifications.collect(team, later) == 0
    (body,) = receiver.bodies
    assert body["data"]["items"][0]["detail"] == "@Ben, see the **wiki** – ü"
    storage.close()
