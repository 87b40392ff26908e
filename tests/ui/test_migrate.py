"""The wizard's screen: what it asks, what it refuses, and a whole move into SQLite."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import clock
from lavendertown.core.settings import load_settings
from lavendertown.errors import InvalidInputError
from lavendertown.transfer.values import OnConflict
from lavendertown.ui import migration_jobs
from lavendertown.ui.components.shared import formatting
from tests.support.markdown import shown_text

App = Callable[..., AppTest]
Save = Callable[..., ShareableReport]
ASSETS = Path(__file__).parents[1] / "schema" / "assets"
PATIENCE = 60


@pytest.fixture(autouse=True)
def a_process_of_its_own(storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing but config.toml fixes the store, and no other test's move is there."""
    monkeypatch.delenv("LAVENDERTOWN_STORAGE_TYPE")
    yield
    migration_jobs.end_all_jobs()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the wizard offers to put a SQLite database."""
    return tmp_path / "data" / "lavendertown.db"


def button(app: AppTest, label: str):
    return next(element for element in app.button if element.label == label)


def labels(app: AppTest) -> list[str]:
    return [element.label for element in app.button]


def said(app: AppTest) -> str:
    """Everything the screen says."""
    kinds = (app.markdown, app.caption, app.error, app.info, app.success, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def press(app: AppTest, label: str) -> AppTest:
    button(app, label).click().run()
    assert not app.exception
    return app


def to_target(open_app: App) -> AppTest:
    return press(open_app("migrate"), "Choose the target")


def browser(app: AppTest) -> str:
    """The key that the app's browser would have in its cookie."""
    return str(app.session_state["browser_session"])


def dry_run(app: AppTest) -> AppTest:
    press(app, "Run a dry run")
    work = migration_jobs.dry_run_of_browser(browser(app))
    assert work is not None, said(app)
    assert work.worker.wait(PATIENCE)
    return app.run()


def finish(app: AppTest) -> AppTest:
    work = migration_jobs.job_of_browser(browser(app))
    assert work is not None, said(app)
    assert work.worker.wait(PATIENCE)
    return app.run()


def switch_to_target(app: AppTest) -> AppTest:
    press(app, "Continue to switch")
    return press(app, next(label for label in labels(app) if label.startswith("Switch to ")))


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Keep everybody else from writing to a SQLite database."""
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    connection.close()


@pytest.fixture
def in_conflict(save: Save, database: Path) -> list[ShareableReport]:
    """Two reports that the database holds with other titles, and one that it does not hold."""
    reports = [save(f"r-{number}", title=f"Orders {number}") for number in range(3)]
    other = DatabaseStorage(f"sqlite:///{database}")
    for report in reports[:2]:
        other.save_report(ShareableReport(report.id, f"Other {report.id}", "Ben", report.created_at))
    other.close()
    return reports


def titles(database: Path) -> dict[str, str]:
    stored = DatabaseStorage(f"sqlite:///{database}")
    found = {row["id"]: row["title"] for row in stored.query_reports()}
    stored.close()
    return found


def test_an_empty_store_has_nothing_to_move(open_app: App) -> None:
    app = open_app("migrate")
    assert "**Nothing to migrate yet**" in said(app)
    assert "Choose the target" not in labels(app)


def test_a_dry_run_starts_when_the_name_is_given(open_app: App, save: Save) -> None:
    save("r-1")
    app = press(press(open_app("migrate", person=""), "Choose the target"), "Run a dry run")
    assert migration_jobs.dry_run_of_browser(browser(app)) is None
    app.text_input(key="person:ask:name").set_value("Emil Novák")
    press(app, "Continue")
    assert migration_jobs.dry_run_of_browser(browser(app)) is not None


def test_a_move_without_a_name_is_refused(open_app: App) -> None:
    open_app("migrate", person="")
    with pytest.raises(InvalidInputError, match="Enter your name before you migrate"):
        migration_jobs.stop_job()


def test_the_store_in_use_is_offered_with_what_it_holds(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("migrate")
    assert app.radio(key="migrate:source:kind").value == "in use"
    assert "1 report." in said(press(app, "Choose the target"))


def test_source_and_target_may_not_be_the_same_store(open_app: App, save: Save) -> None:
    save("r-1")
    app = to_target(open_app)
    app.radio(key="migrate:target:kind").set_value("folder").run()
    press(app, "Run a dry run")
    assert "Source and target are the same store" in said(app)
    assert "Run a dry run" in labels(app)


def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(
    open_app: App, save: Save
) -> None:
    save("r-1")
    app = to_target(open_app)
    app.radio(key="migrate:target:kind").set_value("postgresql").run()
    app.radio(key="migrate:target:way").set_value("Paste a URL").run()
    app.text_input(key="migrate:target:url").set_value("postgresql://ana:s3cret@127.0.0.1:9/quality")
    press(app, "Test the connection")
    assert formatting.escape_markdown("at 127.0.0.1:9/quality") in app.error[0].value
    assert "s3cret" not in said(app)
    assert "s3cret" not in str(app.text_input(key="migrate:target:url").value)


def test_a_database_without_a_name_is_refused(open_app: App, save: Save) -> None:
    save("r-1")
    app = to_target(open_app)
    app.radio(key="migrate:target:kind").set_value("postgresql").run()
    press(app, "Test the connection")
    assert "Enter the database." in said(app)


def test_a_folder_and_a_file_elsewhere_are_refused_before_they_are_looked_at(
    open_app: App, save: Save, tmp_path: Path
) -> None:
    save("r-1")
    (tmp_path / "keys.db").write_text("ssh-ed25519 AAAA ana\n")
    app = to_target(open_app)
    app.text_input(key="migrate:target:file").set_value(str(tmp_path / "keys.db"))
    press(app, "Run a dry run")
    assert "can only use" in app.error[0].value
    app.radio(key="migrate:target:kind").set_value("folder").run()
    app.text_input(key="migrate:target:folder").set_value(str(tmp_path / "new"))
    press(app, "Test the connection")
    assert "can only use" in app.error[0].value
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "keys.db").read_text() == "ssh-ed25519 AAAA ana\n"


def test_what_a_move_creates_is_for_the_servers_user_only(open_app: App, save: Save, tmp_path: Path) -> None:
    save("r-1")
    app = to_target(open_app)
    app.text_input(key="migrate:target:file").set_value(str(tmp_path / "data" / "new" / "team.db"))
    finish(press(dry_run(app), "Start the migration"))
    made = tmp_path / "data" / "new"
    assert {path.stat().st_mode & 0o777 for path in (made, *made.rglob("*"))} == {0o700, 0o600}


def test_a_dry_run_counts_and_writes_nothing(open_app: App, save: Save, database: Path) -> None:
    save("r-1")
    (database.parent / "reports" / "cut.json").write_text('{"id": "r-9", "ti')
    app = dry_run(to_target(open_app))
    assert {metric.label: metric.value for metric in app.metric} == {
        "To copy": "2",
        "Already there": "0",
        "Conflicts": "0",
        "Quarantine": "1",
    }
    total = app.dataframe[0].value.iloc[-1]
    assert list(total) == ["Total, findings left out", 3, 2, 0, 0, 1]
    assert "1 in quarantine" in said(app)
    assert "The source is only read." in said(app)
    assert not database.exists()


def test_a_reload_finds_its_dry_run_again(open_app: App, save: Save) -> None:
    save("r-1")
    app = dry_run(to_target(open_app))
    assert "Start the migration" in labels(open_app("migrate", browser=browser(app)))


def test_another_browser_under_the_same_name_sees_nothing_of_a_dry_run(open_app: App, save: Save) -> None:
    save("r-1")
    dry_run(to_target(open_app))
    other = open_app("migrate")
    assert "Start the migration" not in labels(other)
    assert "Choose the target" in labels(other)


def test_a_move_that_runs_is_shown_to_others_but_is_not_theirs(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    with held(database):
        press(app, "Start the migration")
        other = open_app("migrate")
        assert "Chiyo Tanaka is migrating all data" in said(other)
        assert "Only the browser that started it can stop" in said(other)
        assert not {"Stop", "Resume", "Not now"} & set(labels(other))
        assert "Stop" in labels(open_app("migrate", browser=browser(app)))
    finish(app)
    assert "Continue to switch" in labels(app)
    assert "Continue to switch" not in labels(other.run())
    assert "Choose the target" in labels(other)


def test_a_stopped_move_goes_on_only_where_it_was_started(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    with held(database):
        press(app, "Start the migration")
        press(app, "Stop")
    assert "Resume" not in labels(open_app("migrate"))
    assert "Resume" in labels(app.run())


def test_each_conflict_can_be_decided_by_itself(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    assert "## 2 conflicts" in said(app)
    app.radio(key="migrate:conflict:report:r-1").set_value(OnConflict.OVERWRITE).run()
    finish(press(app, "Start the migration"))
    assert titles(database) == {"r-0": "Other r-0", "r-1": "Orders 1", "r-2": "Orders 2"}
    assert "1 conflict resolved in favor of the target" in said(app)


def test_one_choice_sets_all_conflicts(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    app.radio(key="migrate:conflict:report:r-1").set_value(OnConflict.OVERWRITE).run()
    app.radio(key="migrate:policy").set_value(OnConflict.OVERWRITE).run()
    app.radio(key="migrate:policy").set_value(OnConflict.SKIP).run()
    assert app.radio(key="migrate:conflict:report:r-1").value == OnConflict.SKIP
    app.radio(key="migrate:policy").set_value(OnConflict.OVERWRITE).run()
    finish(press(app, "Start the migration"))
    assert titles(database) == {f"r-{number}": f"Orders {number}" for number in range(3)}


def test_nothing_moves_while_conflicts_shall_stop_it(
    open_app: App, in_conflict: list[ShareableReport]
) -> None:
    app = dry_run(to_target(open_app))
    app.radio(key="migrate:policy").set_value(OnConflict.FAIL).run()
    assert button(app, "Start the migration").disabled
    assert "Nothing is migrated while there are conflicts" in said(app)


def save_old(folder: Path) -> None:
    """Write a report as 0.7 did, its time without a zone."""
    old = '{"id": "old", "title": "Old", "author": "x", "created_at": "2025-03-01T09:00:00", "findings": []}'
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    (folder / "reports" / "old.json").write_text(old)


def test_another_time_zone_makes_the_dry_run_stale(open_app: App, database: Path) -> None:
    save_old(database.parent)
    app = dry_run(to_target(open_app))
    app.selectbox(key="migrate:zone").set_value("Asia/Tokyo").run()
    assert "Start the migration" not in labels(app)
    assert "The time zone changed; repeat the dry run" in said(app)
    work = migration_jobs.dry_run_of_browser(browser(app))
    press(app, "Run the dry run again")
    again = migration_jobs.dry_run_of_browser(browser(app))
    assert again is not None
    assert again is not work
    assert again.worker.wait(PATIENCE)
    app.run()
    assert again.outcome.times[0].read_as.isoformat() == "2025-03-01T00:00:00+00:00"
    finish(press(app, "Start the migration"))
    stored = DatabaseStorage(f"sqlite:///{database}")
    assert stored.load_report("old").created_at.isoformat() == "2025-03-01T00:00:00+00:00"
    stored.close()


def test_a_second_move_writes_nothing_and_says_so(open_app: App, save: Save) -> None:
    save("r-1")
    finish(press(dry_run(to_target(open_app)), "Start the migration"))
    migration_jobs.end_all_jobs()
    app = dry_run(to_target(open_app))
    assert "Everything is already there; there is nothing to copy." in said(app)
    finish(press(app, "Start the migration"))
    assert "Everything was already there; nothing was written." in said(app)
    assert "and match." in said(app)


def test_a_running_move_is_on_every_screen_and_survives_a_new_session(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    with held(database):
        press(app, "Start the migration")
        assert "Stop" in labels(open_app("migrate", browser=browser(app)))
        assert "Chiyo Tanaka is migrating all data to SQLite" in said(open_app(person="Ben Okafor"))
        assert "Keep working; your changes are copied too." in said(open_app("inspect_"))
    finish(app)
    assert "is migrating all data" not in said(open_app(person="Ben Okafor"))


def test_one_move_at_a_time(open_app: App, in_conflict: list[ShareableReport], database: Path) -> None:
    chiyo, ben = dry_run(to_target(open_app)), open_app("migrate", person="Ben Okafor")
    dry_run(press(ben, "Choose the target"))
    with held(database):
        press(chiyo, "Start the migration")
        press(ben, "Start the migration")
        assert "Chiyo Tanaka is already migrating files" in ben.error[0].value
        assert "Stop" not in labels(ben)
    finish(chiyo)


def test_a_stopped_move_goes_on(open_app: App, in_conflict: list[ShareableReport], database: Path) -> None:
    app = dry_run(to_target(open_app))
    with held(database):
        press(app, "Start the migration")
        press(app, "Stop")
    assert "The migration was stopped." in said(app)
    finish(press(app, "Resume"))
    assert "and match." in said(app)


def test_a_move_of_another_store_is_not_announced_to_those_who_work_in_this_one(
    open_app: App, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("r-1")
    monkeypatch.setenv("LAVENDERTOWN_MIGRATION_FOLDERS", str(tmp_path))
    FileStorage(tmp_path / "other").save_report(ShareableReport("r-9", "Elsewhere", "Ana", clock.now()))
    target = tmp_path / "new.db"
    DatabaseStorage(f"sqlite:///{target}").close()
    app = open_app("migrate")
    app.radio(key="migrate:source:kind").set_value("folder").run()
    app.text_input(key="migrate:source:folder").set_value(str(tmp_path / "other"))
    press(app, "Choose the target")
    app.text_input(key="migrate:target:file").set_value(str(target))
    dry_run(app)
    with held(target):
        press(app, "Start the migration")
        assert "is migrating all data" not in said(open_app(person="Ben Okafor"))
    finish(app)
    assert titles(target) == {"r-9": "Elsewhere"}


def test_a_move_that_nobody_finished_is_offered_where_its_target_is_chosen(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    app.radio(key="migrate:policy").set_value(OnConflict.OVERWRITE).run()
    with interrupted(database):
        press(app, "Start the migration")
        finish(app)
    migration_jobs.end_all_jobs()
    app = press(to_target(open_app), "Test the connection")
    assert "was not finished." in said(app)
    finish(press(app, "Resume"))
    assert titles(database) == {f"r-{number}": f"Orders {number}" for number in range(3)}


@contextmanager
def interrupted(database: Path) -> Iterator[None]:
    """Let a move begin, and fail at its first report."""
    with sqlite3.connect(database) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON reports BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    yield
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TRIGGER full")
    connection.close()


def test_a_database_of_0_7_is_a_source_like_any_other(
    open_app: App, save: Save, storage: FileStorage, tmp_path: Path
) -> None:
    save("r-1")
    old = tmp_path / "data" / "old.db"
    shutil.copyfile(ASSETS / "071" / "lavendertown.db", old)
    app = open_app("migrate")
    app.radio(key="migrate:source:kind").set_value("sqlite").run()
    app.text_input(key="migrate:source:file").set_value(str(old))
    press(app, "Check the source")
    assert "written by LavenderTown 0" in said(app)
    app = dry_run(press(app, "Choose the target"))
    assert "## Times without a zone" in said(app)
    finish(press(app, "Start the migration"))
    assert "and match." in said(app)
    assert "is already in use" in said(press(app, "Continue to switch"))
    assert storage.count_reports() > 1


def test_a_move_that_failed_says_why_and_goes_on(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    with held(database):
        press(app, "Start the migration")
        kill_worker()
        app.run()
    assert "The migration failed." in app.error[0].value
    finish(press(app, "Resume"))
    assert "and match." in said(app)


def kill_worker() -> None:
    work = migration_jobs.running_job()
    assert work is not None
    os.kill(work.worker.pid, signal.SIGKILL)
    assert work.worker.wait(PATIENCE)


def test_the_switch_and_the_way_back(open_app: App, save: Save, database: Path) -> None:
    save("r-1")
    app = finish(press(dry_run(to_target(open_app)), "Start the migration"))
    assert "All records were read back from both and match." in said(app)
    switch_to_target(app)
    assert load_settings().storage_type == "database"
    press(app, "Done")
    back = next(label for label in labels(app) if label.startswith("Switch back to"))
    press(app, back)
    assert load_settings().storage_type == "file"


def test_changes_since_the_switch_are_moved_back_first(open_app: App, save: Save, database: Path) -> None:
    save("r-1", title="Before")
    app = switch_to_target(finish(press(dry_run(to_target(open_app)), "Start the migration")))
    stored = DatabaseStorage(f"sqlite:///{database}")
    report = stored.load_report("r-1")
    report.title = "After"
    stored.save_report(report)
    stored.close()
    app.run()
    assert "1 change was made since the switch." in said(app)
    press(app, "Migrate them back first")
    dry_run(app)
    switch_to_target(finish(press(app, "Start the migration")))
    assert load_settings().storage_type == "file"
    assert FileStorage(database.parent).load_report("r-1").title == "After"


def test_what_the_environment_fixes_is_said_instead_of_the_button(
    open_app: App, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    save("r-1")
    app = finish(press(dry_run(to_target(open_app)), "Start the migration"))
    press(app, "Continue to switch")
    assert "LAVENDERTOWN\\_STORAGE\\_TYPE" in app.info[0].value
    assert not [label for label in labels(app) if label.startswith("Switch to ")]


def test_a_switch_that_is_refused_says_why_and_changes_nothing(
    open_app: App, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("r-1")
    app = press(finish(press(dry_run(to_target(open_app)), "Start the migration")), "Continue to switch")
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    press(app, next(label for label in labels(app) if label.startswith("Switch to ")))
    assert "LAVENDERTOWN_STORAGE_TYPE" in shown_text(app.error[0].value)
    monkeypatch.delenv("LAVENDERTOWN_STORAGE_TYPE")
    assert load_settings().storage_type == "file"


def test_a_switch_ends_the_dry_runs_made_for_the_store_before(open_app: App, save: Save) -> None:
    save("r-1")
    ben = dry_run(press(open_app("migrate", person="Ben Okafor"), "Choose the target"))
    switch_to_target(finish(press(dry_run(to_target(open_app)), "Start the migration")))
    assert migration_jobs.dry_run_of_browser(browser(ben)) is None


def test_the_last_choice_counts_however_fast_the_start_is_pressed(
    open_app: App, in_conflict: list[ShareableReport], database: Path
) -> None:
    app = dry_run(to_target(open_app))
    app.radio(key="migrate:conflict:report:r-1").set_value(OnConflict.OVERWRITE)
    finish(press(app, "Start the migration"))
    assert titles(database)["r-1"] == "Orders 1"


def test_a_move_does_not_start_in_a_zone_that_was_not_tried(open_app: App, database: Path) -> None:
    save_old(database.parent)
    app = dry_run(to_target(open_app))
    app.selectbox(key="migrate:zone").set_value("Asia/Tokyo")
    press(app, "Start the migration")
    assert "The time zone changed; run the dry run again." in app.error[0].value
    assert migration_jobs.job_of_browser(browser(app)) is None
