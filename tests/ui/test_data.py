"""The screen Data, on files and on SQLite."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock
from lavendertown.core.settings import load_settings
from lavendertown.interchange.worklists.worklist_file import FindingRows
from lavendertown.rules.models import RuleSet
from lavendertown.stores.sql.schema import revisions
from lavendertown.ui import queries
from lavendertown.ui.components.data import data_actions
from tests.contract.builders import report
from tests.support.receivers import http_receiver

pytestmark = pytest.mark.slow

App = Callable[..., AppTest]
Save = Callable[..., Any]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatabaseStorage:
    """The SQLite database that the dashboard uses, with the report r1."""
    url = f"sqlite:///{tmp_path / 'team.db'}"
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", url)
    queries.forget_results()
    made = DatabaseStorage(url)
    made.save_report(report("r1"))
    return made


def start(tab: str | None = None, name: str = "Chiyo Tanaka") -> AppTest:
    from tests.ui.conftest import MAIN

    app = AppTest.from_file(str(MAIN), default_timeout=30)
    app.session_state["person"] = name
    app.run().switch_page("views/data.py").run()
    if tab:
        app.query_params["tab"] = tab
        app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(each.value) for kind in ("markdown", "caption", "error") for each in app.get(kind))


def backups(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "backups").glob("*"))


def test_a_database_is_said_to_be_well_with_size_and_schema(database: Storage) -> None:
    app = start()
    assert "Healthy" in texts(app)
    assert f"{revisions.HEAD} (up to date)" in str(app.table[0].value)


def test_a_database_that_another_source_overrides_is_named(
    database: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("database: sqlite:///other.db\n")
    monkeypatch.chdir(tmp_path)
    assert "set by the environment; the database in config.yaml is not used" in texts(start()).replace(
        "\\", ""
    )


def test_files_are_counted(storage: FileStorage, save: Save) -> None:
    save("r-1")
    app = start()
    assert "Files" in str(app.table[0].value)
    assert "files in" in texts(app)


def test_what_only_databases_have_says_so_and_leads_to_the_move(storage: FileStorage) -> None:
    app = start("Export and import")
    assert "needs a database; your records are stored as files" in texts(app)
    assert [link.proto.label for link in app.main if link.type == "page_link"] == ["Migrate storage"]


def test_a_backup_of_files_holds_every_record_and_no_secret(
    storage: FileStorage, save: Save, comment: Save, tmp_path: Path
) -> None:
    comment(save("r-1"), 0)
    (tmp_path / "data" / "config.toml").write_text('database_url = "postgresql://me:secret@db/x"\n')
    start("Backup").button(key="data:back up").click().run()
    [made] = (tmp_path / "data" / "backups").iterdir()
    with zipfile.ZipFile(made) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "other")
    assert not [name for name in names if "config" in name or "lock" in name]
    again = FileStorage(tmp_path / "other")
    assert again.load_report("r-1") == storage.load_report("r-1")
    assert len(again.query_annotations()) == 1
    assert len(again.audit_log()) == 2


def test_a_backup_of_a_database_is_listed_for_download(database: Storage, tmp_path: Path) -> None:
    app = start("Backup")
    assert "No backups yet" in texts(app)
    app.button(key="data:back up").click().run()
    [made] = backups(tmp_path)
    assert made.name in texts(app)


def test_a_restore_is_looked_at_done_and_undone(database: Storage, tmp_path: Path) -> None:
    start("Backup").button(key="data:back up").click().run()
    [made] = backups(tmp_path)
    database.save_report(report("r2"))
    app = start("Restore")
    app.selectbox(key="data:restore:file").set_value(made.name).run()
    app.button(key="data:restore:look").click().run()
    assert "2 → 1" in str(app.table[1].value)
    assert "1 goes: :small[:gray[Week 12 (4 Mar 2026)]]" in texts(app).replace("\\", "")
    assert database.count_reports() == 2
    app.button(key="data:restore:do").click().run()
    assert database.count_reports() == 1
    assert "The previous data is saved as" in texts(app)
    assert len(backups(tmp_path)) == 2
    app.button(key="frame:undo:page").click().run()
    assert database.count_reports() == 2


def test_a_backup_of_files_is_restored_and_undone(storage: FileStorage, save: Save, tmp_path: Path) -> None:
    save("r-1")
    start("Backup").button(key="data:back up").click().run()
    [made] = (tmp_path / "data" / "backups").iterdir()
    save("r-2")
    app = start("Restore")
    app.selectbox(key="data:restore:file").set_value(made.name).run()
    app.button(key="data:restore:look").click().run()
    assert storage.count_reports() == 2
    app.button(key="data:restore:do").click().run()
    assert storage.count_reports() == 1
    app.button(key="frame:undo:page").click().run()
    assert storage.count_reports() == 2


def test_a_file_that_is_no_backup_is_refused_in_words(database: Storage, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "torn.db").write_text("nothing")
    app = start("Restore")
    app.selectbox(key="data:restore:file").set_value("torn.db").run()
    app.button(key="data:restore:look").click().run()
    assert "Nothing was changed. Choose another file." in texts(app)
    with pytest.raises(KeyError):
        app.button(key="data:restore:do")


def test_what_was_deleted_is_listed_with_who_and_restored(
    storage: FileStorage, save: Save, comment: Save
) -> None:
    said = comment(save("r-1"), 0)
    save("r-2", title="Shipments")
    incident = storage.incidents.create("Loader down", said.finding_id, actor="Ana Ferreira")
    storage.incidents.delete(incident, actor="Ana Ferreira")
    rows = FindingRows(said.finding_id, "", "orders", "price", [1], 2)
    (worklist,) = storage.worklists.create("r-1", [rows], actor="Ana Ferreira")
    storage.worklists.delete(worklist.id, actor="Ana Ferreira")
    storage.save_ruleset(RuleSet("nightly", "", []))
    for each in ("r-1", "r-2"):
        storage.delete_report(each, actor="Ben Okafor")
    storage.delete_annotation(said.id, actor="Ana Ferreira")
    storage.rulesets.delete("nightly", actor="Ana Ferreira")
    storage.views.save("Mine", {"view": ["mine"]}, author="Ana Ferreira")
    storage.people.save("Cy", actor="Ana Ferreira")
    storage.views.delete("Mine", actor="Ana Ferreira")
    storage.people.delete("Cy", actor="Ana Ferreira")
    app = start("Trash")
    assert app.radio(key="data:trash:kind").options == [
        "Reports (2)",
        "Comments (1)",
        "Rule sets (1)",
        "Views (1)",
        "People (1)",
        "Incidents (1)",
        "Worklists (1)",
    ]
    assert all("by Ben Okafor" in box.label for box in app.checkbox)
    app.button(key="data:trash:all").click().run()
    app.button(key="data:trash:restore").click().run()
    assert storage.count_reports() == 2
    app.button(key="frame:undo:page").click().run()
    assert storage.count_reports() == 0
    people = {row["name"] for row in storage.people.list_known()}
    for kind, there in (
        ("annotation", storage.query_annotations),
        ("ruleset", storage.query_rulesets),
        ("view", storage.views.query),
        ("person", lambda: [row for row in storage.people.list_known() if row["name"] not in people]),
        ("incident", storage.incidents.query),
        ("worklist", storage.worklists.query),
    ):
        app.radio(key="data:trash:kind").set_value(kind).run()
        assert kind != "incident" or "Loader down" in app.checkbox[0].label
        assert kind != "worklist" or "Unassigned, orders" in app.checkbox[0].label
        app.checkbox[0].check().run()
        app.button(key="data:trash:restore").click().run()
        assert len(there()) == 1


def test_an_empty_trash_says_so(storage: FileStorage) -> None:
    assert "The trash is empty" in texts(start("Trash"))


def test_an_export_is_made_and_brought_in_again(
    database: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start("Export and import").button(key="data:export").click().run()
    [made] = backups(tmp_path)
    database.delete_report("r1")
    as_person(monkeypatch)
    found = data_actions.preview_replacement(data_actions.IMPORT, made)
    assert (found.refusal, found.new_counts["reports"]) == (None, 1)
    assert database.count_reports() == 0
    assert data_actions.replace_all_data(data_actions.IMPORT, made)
    assert database.count_reports() == 1


def test_rows_that_cannot_be_imported_are_listed_by_number(
    database: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start("Export and import").button(key="data:export").click().run()
    [made] = backups(tmp_path)
    broken = tmp_path / "broken.zip"
    spoil(made, broken)
    as_person(monkeypatch)
    found = data_actions.preview_replacement(data_actions.IMPORT, broken)
    assert found.refusal
    assert "row 2" in found.problems[0]


def as_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lavendertown.ui.components.shared.person.current_name", lambda: "Chiyo Tanaka")
    queries.close_storages()


def spoil(source: Path, target: Path) -> None:
    """Write a number that is none into the first report, with a checksum that fits."""
    import hashlib

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for table in manifest["tables"]:
            data = old.read(table["file"])
            if table["name"] == "reports":
                rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
                rows[1][rows[0].index("finding_count")] = "many"
                text = io.StringIO()
                csv.writer(text, lineterminator="\r\n").writerows(rows)
                data = text.getvalue().encode("utf-8")
                table["sha256"] = hashlib.sha256(data).hexdigest()
            new.writestr(table["file"], data)
        new.writestr("manifest.json", json.dumps(manifest))


def test_without_channels_it_says_how_to_configure_one(storage: FileStorage) -> None:
    app = start("Notifications")
    assert "Nobody is notified yet" in texts(app)
    assert "[notifications.team]" in str(app.get("code")[0].value)


def test_sources_that_could_not_be_checked_are_shown(
    storage: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = '[sources.orders]\npath = "orders.csv"\nevery = "6 hours"\n'
    (tmp_path / "lavendertown.toml").write_text(source)
    storage.source_checks.save_failure("orders", "There is no file orders.csv.", clock.now())
    (shown,) = start("Notifications").warning
    assert "There is no file orders.csv." in shown.value
    assert "1 attempt, the last" in shown.value
    storage.source_checks.clear_failure("orders")
    assert not start("Notifications").warning


def test_a_channel_is_tested_and_a_failed_message_sent_again(
    storage: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with http_receiver() as receiver:
        (tmp_path / "lavendertown.toml").write_text(
            f'[notifications.team]\ntype = "webhook"\nurl = "{receiver.url}"\nallow_private = true\n'
        )
        app = start("Notifications")
        assert "No messages yet." in texts(app)
        receiver.status = 404
        app.button(key="data:notifications:test:team").click().run()
        assert "Failed" in texts(app)
        assert "127.0.0.1 answered with status 404" in texts(app).replace("\\", "")
        receiver.status = 200
        (row,) = storage.notifications.query()
        app.button(key=f"data:notifications:again:{row['id']}").click().run()
        assert "Waiting" in texts(app)
        channels = load_settings(tmp_path).notifications
        assert storage.notifications.deliver_due(channels, "").delivered == 1
        app.run()
        assert "Delivered" in texts(app)
    assert receiver.ids()[0] == receiver.ids()[1]
