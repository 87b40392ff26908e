"""Results of other tools on Inspect: previewed, imported, undone, or inspected as a table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.interchange.mapping import ResultMapping, read_mapped_runs
from lavendertown.tables import read_table
from tests.ui.test_inspect import button, upload

App = Callable[..., AppTest]
SAMPLES = Path(__file__).parents[1] / "interchange" / "samples"
DBT = sorted((SAMPLES / "dbt").glob("generated_dbt-1.9.11__*.json"))
FAILURES = SAMPLES / "pandera" / "generated_pandera-0.35.0__failure_cases.csv"


def drop(app: AppTest, *files: Path) -> AppTest:
    """Drop files on the upload."""
    given = [(each.name, each.read_bytes(), "application/json") for each in files]
    app.get("file_uploader")[0].set_value(given)
    app = app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


@pytest.fixture
def app(open_app: App) -> AppTest:
    return open_app("inspect_")


def test_what_an_import_changes_is_shown_before_it_is_made(app: AppTest, storage: FileStorage) -> None:
    app = drop(app, *DBT)
    assert any("have results of dbt" in text.value for text in app.markdown)
    assert int(metrics(app)["New"]) > 0
    assert storage.query_reports() == []

    app = button(app, "Import 1 run").click().run()
    assert not app.exception
    (report,) = storage.query_reports()
    assert report["author"] == "Chiyo Tanaka"

    app.switch_page("views/inspect_.py").run()
    app = drop(app, *DBT)
    assert any("Imported before" in text.value for text in app.markdown)
    assert not [each for each in app.button if each.label.startswith("Import")]


def test_an_import_is_undone_as_a_whole(app: AppTest, storage: FileStorage) -> None:
    button(drop(app, *DBT), "Import 1 run").click().run()
    app.switch_page("views/reports.py").run()
    assert any("Imported" in text.value for text in app.markdown)
    button(app, "Undo").click().run()
    assert storage.query_reports() == []
    assert [each["operation"] for each in storage.audit_log(component="report")] == ["delete", "create"]


def test_the_findings_join_the_dataset_that_is_chosen(
    app: AppTest, storage: FileStorage, save: Callable[..., object]
) -> None:
    save("r-1")
    app = drop(app, *DBT)
    (choice,) = [each for each in app.selectbox if each.label == "Dataset"]
    app = button(choice.set_value("orders").run(), "Import 1 run").click().run()
    assert [each["dataset"] for each in storage.query_reports()] == ["orders", "orders"]


def test_results_can_be_inspected_as_a_table(app: AppTest) -> None:
    app = button(drop(app, FAILURES), "Inspect as a table").click().run()
    assert not app.exception
    assert "schema_context" in app.session_state["inspect:result"].columns


def test_damaged_results_are_one_sentence(app: AppTest, tmp_path: Path) -> None:
    file = tmp_path / "run_results.json"
    content = next(each for each in DBT if "run_results" in each.name).read_bytes()
    file.write_bytes(content[: len(content) // 2])
    app = drop(app, file)
    assert len(app.error) == 1
    assert "run_results.json, line 1: not valid JSON" in app.error[0].value.replace("\\", "")


def test_a_table_of_json_is_inspected(app: AppTest, tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text('[{"id": 1, "note": null}, {"id": 2, "note": null}]')
    app = drop(app, file)
    assert app.session_state["inspect:result"].columns == ["id", "note"]


RESULTS = b"Test name,Field,Outcome,Failed rows\nnot null,email,failed,7\nunique,id,passed,0\n"


def test_a_table_of_results_is_imported_by_its_columns(app: AppTest, storage: FileStorage) -> None:
    app = upload(app, "checks.csv", RESULTS)
    app = button(app, "Import as results").click().run()
    assert not app.exception
    chosen = {each.label: each.value for each in app.selectbox if each.label in ("Check", "Column", "Status")}
    assert chosen == {"Check": "Test name", "Column": "Field", "Status": "Outcome"}
    assert metrics(app)["New"] == "1"
    button(app, "Import").click().run()
    (report,) = storage.query_reports()
    assert (report["dataset"], report["author"]) == ("checks", "Chiyo Tanaka")
    columns = RESULTS.decode().partition("\n")[0].split(",")
    mapping = storage.imports.load_mapping(columns)
    assert mapping["status"] == "Outcome"
    (same,) = read_mapped_runs(
        read_table(RESULTS, "checks.csv"),
        ResultMapping(mapping),
        file_name="checks.csv",
        digest=hashlib.sha256(RESULTS).hexdigest(),
        dataset="checks",
    )
    assert storage.imports.preview(same).is_saved, "the command line takes it for the same import"
    assert storage.imports.load_mapping(columns[::-1]) == mapping
    assert storage.imports.load_mapping(columns[1:]) == {}
