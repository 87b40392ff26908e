"""The menu on Inspect that compares a file, and the picture of drift in the finding."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from lavendertown import Inspector
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui.components.shared.drift_picture import make_picture
from lavendertown.ui.server.uploads import upload_folders
from tests.drift.conftest import make_orders
from tests.ui.test_inspect import button, upload
from tests.ui.test_save_report import said

App = Callable[..., AppTest]
ROWS = 400
MAY = make_orders(1, ROWS).drop("placed")
JUNE = make_orders(2, ROWS).drop("placed").with_columns(pl.col("amount") * 8)


def to_csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv().encode()


def result_of(app: AppTest) -> InspectionResult:
    result: InspectionResult = app.session_state["inspect:result"]
    return result


def open_menu(app: AppTest, choice: str) -> AppTest:
    """Open the menu and choose what to compare with."""
    folder = result_of(app).folder.name
    rounds = app.session_state.get("inspect:compare:round", 0)
    app.session_state[f"inspect:compare:{folder}:{rounds}"] = True
    app.run()
    assert not app.exception
    (choices,) = [each for each in app.radio if each.label == "Compare with"]
    choices.set_value(choice)
    return app.run()


def drift_in(app: AppTest) -> list[str]:
    return [each.column for each in result_of(app).findings if each.ghost_type == "drift"]


@pytest.fixture
def may_report(storage: FileStorage) -> str:
    """The orders of May, saved with their profiles."""
    inspector = Inspector(MAY, dataset="orders")
    findings = inspector.detect()
    metadata = {"dataset": "orders", "coverage": inspector.coverage()}
    report = ShareableReport("r-may", "Orders, May", "Ana", now(), findings, metadata=metadata)
    ids = [get_finding_id(each, "orders") for each in findings]
    return storage.save_report(report, evidence=inspector.evidence().named(ids))


def test_a_file_is_compared_with_the_last_report(open_app: App, may_report: str) -> None:
    app = upload(open_app("inspect_"), "orders_2026-06.csv", to_csv(JUNE))
    assert drift_in(app) == []
    app = open_menu(app, "The last report of this dataset")
    button(app, "Compare").click().run()
    assert not app.exception
    assert drift_in(app) == ["amount"]
    assert "compared with Orders, May" in said(app)
    assert result_of(app).coverage["compared_to"]["report"] == may_report


def test_a_file_is_compared_with_another_one_and_then_with_nothing(
    open_app: App, storage: FileStorage
) -> None:
    app = upload(open_app("inspect_"), "orders_2026-06.csv", to_csv(JUNE))
    app = open_menu(app, "Another file")
    assert button(app, "Compare").disabled
    app.get("file_uploader")[0].set_value(("orders_2026-05.csv", to_csv(MAY), "text/csv"))
    app.run()
    button(app, "Compare").click().run()
    assert not app.exception
    assert drift_in(app) == ["amount"]
    other = app.session_state["inspect:running"].comparison.upload
    assert other.path.exists()
    app = open_menu(app, "Nothing")
    button(app, "Compare").click().run()
    assert drift_in(app) == []
    assert not other.path.exists()


def test_another_reading_keeps_the_comparison(open_app: App, may_report: str) -> None:
    app = open_menu(
        upload(open_app("inspect_"), "orders.csv", to_csv(JUNE)), "The last report of this dataset"
    )
    button(app, "Compare").click().run()
    button(app, "Reset").click().run()
    assert drift_in(app) == ["amount"]


def test_a_file_that_cannot_be_read_is_one_sentence_and_the_result_stays(
    open_app: App, storage: FileStorage
) -> None:
    app = open_menu(upload(open_app("inspect_"), "orders.csv", to_csv(JUNE)), "Another file")
    folder = upload_folders.session_folder(app.session_state["inspect:running"].session)
    files = set(folder.glob("upload-*"))
    app.get("file_uploader")[0].set_value(("broken.parquet", b"this is not parquet", "text/csv"))
    app.run()
    button(app, "Compare").click().run()
    assert not app.exception
    assert "**Not compared.** broken.parquet" in app.error[0].value
    assert len(result_of(app).findings) == len(Inspector((to_csv(JUNE), "orders.csv")).detect())
    assert app.session_state["inspect:running"].comparison is None
    assert set(folder.glob("upload-*")) == files


def test_without_an_earlier_report_only_a_file_is_offered(open_app: App, storage: FileStorage) -> None:
    app = open_menu(upload(open_app("inspect_"), "orders.csv", to_csv(JUNE)), "Another file")
    (choices,) = [each for each in app.radio if each.label == "Compare with"]
    assert choices.options == ["Nothing", "Another file"]
    assert "This dataset has no earlier report with column profiles." in said(app)


def test_colleagues_see_the_picture_in_the_report(open_app: App, storage: FileStorage) -> None:
    inspector = Inspector(JUNE, dataset="orders", compare_to=MAY)
    findings = [each for each in inspector.detect() if each.ghost_type == "drift"]
    storage.save_report(
        ShareableReport("r-june", "Orders", "Ana", now(), findings, metadata={"dataset": "orders"})
    )
    app = open_app("report", report="r-june")
    assert not app.exception
    assert "**Before and now** :small[:gray[share of values; before: the other table]]" in said(app)
    (chart,) = [
        each for each in app.get("plotly_chart") if "Before" in each.proto.spec or "Before" in str(each.proto)
    ]
    assert chart is not None


@pytest.mark.parametrize(
    "picture",
    [
        None,
        7,
        {},
        {"before": [1], "after": [1, 2], "labels": ["a"]},
        {"before": [0, 0], "after": [1, 2], "labels": ["a", "b"]},
        {"before": [1, "x"], "after": [1, 2], "labels": ["a", "b"]},
        {"before": [1, 2, 3], "after": [1, 2, 3], "start": "a", "end": 3},
        {"before": [1, 2], "after": [1, 2], "start": 1, "end": 3},
        {"before": [-1, 2], "after": [1, 2], "labels": ["a", "b"]},
    ],
)
def test_metadata_of_any_form_has_no_picture(picture: object) -> None:
    assert make_picture({"picture": picture, "compared_to": "x"}) is None


@pytest.mark.parametrize("scale", ["log", "linear", None])
def test_a_histogram_has_the_same_bins_on_both_sides(scale: str | None) -> None:
    stored = {"before": [0, 5, 5, 0], "after": [0, 1, 8, 1], "start": 1.0, "end": 100.0, "scale": scale}
    picture = make_picture({"picture": stored, "compared_to": {"name": "May"}})
    assert picture is not None
    before, after = picture.figure["data"]
    assert (before["y"], after["y"]) == ([0, 50, 50, 0], [0, 10, 80, 10])
    assert before["customdata"] == after["customdata"]
    assert before["customdata"][1] == ("1 to 10" if scale == "log" else "1 to 50.5")
    assert picture.alt.startswith("Distribution before and now from 1 to 100: most values were ")
