"""From an uploaded table to a saved report."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.table_formats import TABLE_FORMATS

App = Callable[..., AppTest]

CSV = b"order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.get("file_uploader")[0].set_value((name, content, "text/csv"))
    return app.run()


def test_an_uploaded_table_shows_its_findings(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders_2026-11-20.csv", CSV)
    assert not app.exception
    assert any("customer\\_id is empty" in box.label for box in app.expander)


def test_an_empty_delivery_is_not_said_to_have_passed(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders_2026-11-20.csv", b"order_id,customer_id\n")
    assert any("The table has no rows." in box.label for box in app.expander)
    assert not any("passed" in text.value and "No ghosts" in text.value for text in app.markdown)


def test_a_zipped_table_shows_its_findings(open_app: App) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("orders.csv", CSV)
    app = upload(open_app("inspect_"), "delivery.zip", packed.getvalue())
    assert any("customer\\_id is empty" in box.label for box in app.expander)


def test_one_of_several_tables_is_chosen_and_then_another(open_app: App, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript("CREATE TABLE customers (id); CREATE TABLE orders (id, amount);")
        connection.execute("INSERT INTO orders VALUES (1, 2), (3, NULL)")
    connection.close()
    app = upload(open_app("inspect_"), "shop.db", (tmp_path / "shop.db").read_bytes())
    menu = app.selectbox(key="inspect:table")
    assert menu.options == ["customers", "orders"]
    menu.set_value("orders").run()
    button(app, "Inspect table").click().run()
    assert any("amount is empty" in box.label for box in app.expander)
    assert any("in orders" in text.value for text in app.markdown)
    button(app, "Other table").click().run()
    assert app.selectbox(key="inspect:table").options == ["customers", "orders"]


def test_files_uploaded_together_are_one_table(open_app: App) -> None:
    app = open_app("inspect_")
    files = [(f"../../orders-{part}.csv", CSV, "text/csv") for part in (2, 1)]
    app.get("file_uploader")[0].set_value(files)
    app.run()
    assert any("8 rows" in text.value for text in app.markdown)
    guesses = "".join(text.value for text in app.markdown).replace("\\", "")
    assert "Read 2 files as one table: orders-1.csv (rows 0–3), orders-2.csv (rows 4–7)." in guesses


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: FileStorage) -> Path:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "orders-1.csv").write_bytes(CSV)
    (tmp_path / "data" / "config.toml").write_text(
        f'[sources."shop orders 2026"]\npath = "{tmp_path}/exports/*.csv"\n'
        f'[sources.gone]\npath = "{tmp_path}/gone"\n'
    )
    return tmp_path


def test_a_configured_source_is_inspected_and_saved_under_its_name(
    sources: Path, open_app: App, storage: FileStorage
) -> None:
    app = open_app("inspect_")
    app.selectbox(key="inspect:source").set_value("shop orders 2026").run()
    button(app, "Inspect source").click().run()
    assert any("in shop orders 2026" in text.value for text in app.markdown)
    button(app, "Save as report").click().run()
    button(app, "Save report").click().run()
    (saved,) = storage.query_reports()
    assert saved["dataset"] == "shop orders 2026"
    metadata = storage.reports.load_metadata(saved["id"])
    assert (metadata["source"], metadata["file"]) == ("shop orders 2026", "")
    assert str(sources) not in str(metadata)


@pytest.mark.parametrize("name", ["gone", "/etc/passwd", "https://127.0.0.1/x.csv", "../orders"])
def test_a_source_that_is_gone_or_forged_is_one_sentence(sources: Path, open_app: App, name: str) -> None:
    app = open_app("inspect_")
    menu = app.selectbox(key="inspect:source")
    menu.options.append(name)  # as a forged message of the browser
    menu.set_value(name)
    button(app, "Inspect source").click().run()
    (error,) = app.error
    assert (
        "cannot be read" in error.value if name == "gone" else "There is no configured source" in error.value
    )
    assert str(sources) not in error.value
    assert not app.exception


def test_without_configured_sources_there_is_no_menu(open_app: App) -> None:
    assert not [menu for menu in open_app("inspect_").selectbox if menu.key == "inspect:source"]


@pytest.mark.parametrize("name", ["shop.zip::orders.csv", "sqlite:///shop.csv", "*.csv"])
def test_the_name_of_an_upload_is_only_a_name(open_app: App, name: str) -> None:
    app = upload(open_app("inspect_"), name, CSV)
    assert not app.exception
    assert any("customer\\_id is empty" in box.label for box in app.expander)


def test_a_file_that_is_no_table_is_one_sentence(open_app: App) -> None:
    app = upload(open_app("inspect_"), "broken.parquet", b"this is not parquet")
    assert "broken.parquet" in app.error[0].value
    assert not app.exception
    assert "broken.parquet" in app.run().error[0].value, "it stays when the page is drawn again"
    assert not upload(app, "orders.csv", CSV).error


def test_the_upload_accepts_every_file_that_the_command_line_reads(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders.dat", CSV)
    assert any("customer\\_id is empty" in box.label for box in app.expander)
    button(app, "Start over").click().run()
    assert list(app.get("file_uploader")[0].proto.type) == []
    label = TABLE_FORMATS[-1].label
    assert any(f"{label}, SQLite or DuckDB" in text.value for text in app.caption)
    app = upload(app, "orders.pdf", b"%PDF-1.7")
    assert "a PDF file, which is not supported; save the table as" in app.error[0].value


def test_saving_needs_a_title(open_app: App, storage: FileStorage) -> None:
    app = upload(open_app("inspect_"), "orders_2026-11-20.csv", CSV)
    button(app, "Save as report").click().run()
    app.text_input(key="save:title").set_value(" ")
    button(app, "Save report").click().run()
    assert storage.count_reports() == 0


def test_a_saved_report_carries_dataset_author_tags_and_note(open_app: App, storage: FileStorage) -> None:
    app = upload(open_app("inspect_"), "orders_2026-11-20.csv", CSV)
    button(app, "Save as report").click().run()
    app.multiselect(key="save:tags").set_value(["nightly"])
    app.text_area(key="save:note").set_value("Look at the tills.")
    button(app, "Save report").click().run()
    (saved,) = storage.query_reports()
    assert (saved["dataset"], saved["author"], saved["tags"]) == ("orders", "Chiyo Tanaka", ["nightly"])
    metadata = storage.reports.load_metadata(saved["id"])
    assert metadata["note"] == "Look at the tills."
    assert metadata["coverage"]["rows"] == 4


def button(app: AppTest, label: str):
    return next(element for element in app.button if element.label == label)


@pytest.mark.parametrize(
    ("file", "dataset"),
    [
        ("orders_2026-11-20.csv", "orders"),
        ("orders.csv", "orders"),
        ("2026.csv", "2026"),
        ("a-b 12.parquet", "a-b"),
        ("20261128_orders.csv.gz", "orders"),
    ],
)
def test_a_dataset_is_named_without_its_date(file: str, dataset: str) -> None:
    assert dataset_name(file) == dataset


def test_an_open_finding_has_the_chart_that_its_report_will_have(open_app: App) -> None:
    rows = "".join(f"{i},{9000 if i == 40 else 100 + i % 9}\n" for i in range(1, 101))
    app = upload(open_app("inspect_"), "orders.csv", f"order_id,amount\n{rows}".encode())
    box = next(each for each in app.expander if "amount has outliers" in each.label)
    app.session_state[box.key] = True
    app.run()
    assert not app.exception
    assert "**Distribution of the column**" in [text.value for text in app.markdown]
    assert len(app.get("plotly_chart")) == 1
