"""Bundles on Inspect: previewed, imported and undone; and their line in Activity."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.transfer.backups.archive import write_archive
from lavendertown.transfer.bundles.importing import import_bundle
from lavendertown.transfer.bundles.reading import open_bundle
from lavendertown.transfer.bundles.writing import export_bundle
from lavendertown.transfer.locations import parse_location
from lavendertown.ui.components.report import report_menu
from tests.contract.builders import annotation
from tests.ui.test_import_preview import App, drop, metrics
from tests.ui.test_inspect import button

Save = Callable[..., ShareableReport]


@pytest.fixture
def app(open_app: App) -> AppTest:
    return open_app("inspect_")


@pytest.fixture
def bundle(save: Save, tmp_path: Path) -> Path:
    """A bundle of a report of another team, with a comment and a decision."""
    other = FileStorage(tmp_path / "other")
    made = save("r-7")
    finding_id = get_finding_id(made.findings[0])
    made.version = None
    other.save_report(made)
    other.triage.decide(finding_id, Decision(assignee="Ben", comment="Ask the *shop*"), actor="Ben")
    path = tmp_path / "nightly.bundle.zip"
    path.write_bytes(export_bundle(other.store, ["r-7"]))
    return path


def texts(app: AppTest) -> list[str]:
    return [each.value for each in (*app.markdown, *app.caption)]


def table(app: AppTest) -> dict[str, str]:
    (found,) = app.table
    return {str(name): str(row.iloc[0]) for name, row in found.value.iterrows()}


def test_a_bundle_is_previewed_imported_and_undone(app: AppTest, bundle: Path, storage: FileStorage) -> None:
    app = drop(app, bundle)
    assert any("nightly.bundle.zip** is a bundle of 1 report" in text for text in texts(app))
    assert metrics(app) == {"Findings new here": "0", "Findings known here": "2"}
    assert table(app) == {"Reports": "1 unchanged", "Comments": "1 new", "Decisions": "1 new"}
    assert storage.query_annotations() == []

    app = button(app, "Import bundle").click().run()
    assert not app.exception
    (note,) = storage.query_annotations()
    assert (note["author"], note["comment"]) == ("Ben", "Ask the *shop*")
    app.switch_page("views/reports.py").run()
    assert any("Imported 0 reports, 1 comment and 1 decision" in text for text in texts(app))

    button(app, "Undo").click().run()
    assert storage.query_annotations() == []
    assert [each["operation"] for each in storage.audit_log(component="store")] == [
        "undo_bundle",
        "import_bundle",
    ]


def test_incidents_and_deletions_are_shown(
    app: AppTest, bundle: Path, storage: FileStorage, tmp_path: Path
) -> None:
    other = FileStorage(tmp_path / "other")
    import_bundle(storage, open_bundle(io.BytesIO(bundle.read_bytes()), bundle.name), actor="Zoe")
    (note,) = other.query_annotations()
    other.incidents.create("Loader down", note["finding_id"], actor="Ben")
    other.save_annotation(annotation(note["finding_id"], id="n2"))
    second = tmp_path / "second.bundle.zip"
    second.write_bytes(export_bundle(other.store, ["r-7"]))
    import_bundle(storage, open_bundle(io.BytesIO(second.read_bytes()), second.name), actor="Zoe")
    edited = storage.annotations.load("n2")
    assert edited is not None
    edited.comment = "Indeed"
    storage.save_annotation(edited, actor="Ana")
    (incident,) = other.incidents.query()
    other.incidents.set_title(incident["id"], "Both loaders down", actor="Ben")
    for each in (note["id"], "n2"):
        other.delete_annotation(each, actor="Ben")
    third = tmp_path / "third.bundle.zip"
    third.write_bytes(export_bundle(other.store, ["r-7"]))
    app = drop(app, third)
    assert table(app) == {
        "Reports": "1 unchanged",
        "Decisions": "1 unchanged",
        "Incidents": "1 changed",
        "Deletions": "1 moved to the trash, 1 kept",
    }
    assert any("were changed here, or did not come from a bundle, are kept" in text for text in texts(app))
    button(app, "Import bundle").click().run()
    assert [each["id"] for each in storage.query_annotations()] == ["n2"]
    app.switch_page("views/reports.py").run()
    assert any(
        "Imported 0 reports, 0 comments, 0 decisions and 1 incident. 1 record moved to the trash." in text
        for text in texts(app)
    )
    app.switch_page("views/activity.py").run()
    labels = [each.label for each in app.expander if "third.bundle.zip" in each.label]
    assert any("0 decisions, 1 incident, 1 deletion" in label for label in labels)


def test_importing_again_changes_nothing(app: AppTest, bundle: Path) -> None:
    button(drop(app, bundle), "Import bundle").click().run()
    app.switch_page("views/inspect_.py").run()
    app = drop(app, bundle)
    assert any("Everything is here already" in text for text in texts(app))
    assert not [each for each in app.button if each.label == "Import bundle"]
    app = button(app, "Start over").click().run()
    assert app.get("file_uploader")


def test_another_report_under_the_id_is_said(
    app: AppTest, bundle: Path, save: Save, storage: FileStorage
) -> None:
    report = storage.load_report("r-7")
    assert report is not None
    report.findings = report.findings[:1]
    storage.save_report(report)
    app = drop(app, bundle)
    assert any("Another report is stored" in each.value for each in app.error)
    assert not [each for each in app.button if each.label == "Import bundle"]


def test_a_damaged_bundle_a_backup_and_a_mixed_upload_are_refused(
    app: AppTest, bundle: Path, storage: FileStorage, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.bundle.zip"
    damaged.write_bytes(bundle.read_bytes().replace(b"reports/r-7.json", b"reports/r-8.json"))
    app = drop(app, damaged)
    assert any("damaged.bundle.zip is not a valid bundle" in each.value for each in app.error)
    backup = write_archive(parse_location(str(tmp_path / "data")), tmp_path / "backup.zip").file
    app = drop(app, backup)
    assert any("backup.zip is a backup" in each.value for each in app.error)
    other = tmp_path / "a.csv"
    other.write_text("a\n1\n", "utf-8")
    app = drop(app, bundle, other)
    assert any("imported alone" in each.value for each in app.error)


def test_activity_has_one_line_and_undoes_it(app: AppTest, bundle: Path, storage: FileStorage) -> None:
    button(drop(app, bundle), "Import bundle").click().run()
    app.switch_page("views/activity.py").run()
    labels = [each.label for each in app.expander]
    (line,) = [each for each in labels if "nightly.bundle.zip" in each]
    assert "imported the bundle **nightly.bundle.zip**: 0 reports, 1 comment, 1 decision" in line


def test_the_export_menu_writes_a_bundle(storage: FileStorage, save: Save) -> None:
    save("r-1")
    assert report_menu.read_bundle("r-1").startswith(b"PK")
