"""The save dialog: which dataset a report joins, and what it asks before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.models import GhostFinding

App = Callable[..., AppTest]

CSV = b"order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


def columns(*names: str, dataset: str, check: str = "nulls") -> dict[str, object]:
    told = {"check": check, "params": {}, "count": 2}
    return {
        "findings": [GhostFinding("null", "customer_id", "error", "customer_id is empty", [1], told)],
        "metadata": {"dataset": dataset, "coverage": {"columns": len(names), "column_names": list(names)}},
    }


def open_dialog(open_app: App, file: str) -> AppTest:
    app = open_app("inspect_")
    app.get("file_uploader")[0].set_value((file, CSV, "text/csv"))
    app.run()
    return press(app, "Save as report")


def press(app: AppTest, label: str) -> AppTest:
    app = next(element for element in app.button if element.label == label).click().run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [element.label for element in app.button]


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.caption, *app.markdown, *app.error])


def datasets(storage: FileStorage) -> list[str]:
    return sorted(row["dataset"] for row in storage.query_reports())


def test_a_new_dataset_is_named(open_app: App, storage: FileStorage) -> None:
    app = open_dialog(open_app, "public.orders.csv")
    assert app.text_input(key="save:dataset").value == "public.orders"
    assert "New dataset `public.orders`." in said(app)
    press(app, "Save report")
    assert datasets(storage) == ["public.orders"]


def test_the_dialog_says_what_the_next_delivery_is_matched_by(open_app: App) -> None:
    app = open_dialog(open_app, "orders-2026-05.csv")
    assert "The next delivery is matched by its file name, without dates and numbers." in said(app)
    app.text_input(key="save:dataset").set_value("sales")
    app = press(app, "Save as report")
    assert "Name it for the next delivery, too: that is matched with `orders`." in said(app)


def test_what_a_report_joins_is_shown(open_app: App, save: Callable[..., object]) -> None:
    save("r-1", **columns("order_id", "customer_id", dataset="orders"))
    app = open_dialog(open_app, "orders_2025_w48.csv")
    assert "Joins dataset `orders`: 1 report, latest a few seconds ago, same columns." in said(app)
    assert "Same dataset" not in labels(app)


def test_changed_columns_are_shown_and_asked_about(open_app: App, save: Callable[..., object]) -> None:
    save("r-1", **columns("order_id", "customer_id", "till", dataset="orders"))
    app = open_dialog(open_app, "orders.csv")
    assert "1 column missing (`till`)." in said(app)
    assert "Same dataset" in labels(app)


def test_other_columns_have_to_be_confirmed(
    open_app: App, save: Callable[..., object], storage: FileStorage
) -> None:
    save("r-1", **columns("parcel", "weight", "carrier", dataset="orders"))
    app = open_dialog(open_app, "orders.csv")
    assert "Is this the same table as `orders`?" in said(app)
    press(app, "Save report")
    assert datasets(storage) == ["orders"]
    # Here a click runs the whole page, which closes the dialog.
    press(app, "Save as report")
    assert "Not saved." in said(app)
    press(app, "Same dataset")
    press(app, "Save as report")
    press(app, "Save report")
    assert datasets(storage) == ["orders", "orders"]


def test_a_typed_name_is_judged_when_it_is_saved_at_once(
    open_app: App, save: Callable[..., object], storage: FileStorage
) -> None:
    save("r-1", **columns("parcel", "weight", "carrier", dataset="shipments"))
    app = open_dialog(open_app, "orders.csv")
    app.text_input(key="save:dataset").set_value("shipments")
    press(app, "Save report")
    assert datasets(storage) == ["shipments"]
    press(app, "Save as report")
    assert "Not saved." in said(app)


def test_the_history_of_a_former_dataset_is_adopted(
    open_app: App, save: Callable[..., object], tmp_path: Path
) -> None:
    save("r-1", **columns("order_id", "customer_id", dataset="public"))
    save("r-2", **columns("parcel", "weight", "carrier", "customer_id", dataset="public"))
    app = open_dialog(open_app, "public.orders.csv")
    assert "It mixes several tables." in said(app)
    app.checkbox(key="save:adopt").check()
    press(app, "Save report")
    # Another handle may see the write half a second later.
    found = FileStorage(tmp_path / "data").inbox.query(dataset="public.orders", column="customer_id")
    assert [row["times_seen"] for row in found] == [3]


def test_a_former_dataset_that_may_mix_tables_is_offered(open_app: App, save: Callable[..., object]) -> None:
    save("r-1", **columns("order_id", "customer_id", "till", dataset="public"))
    app = open_dialog(open_app, "public.orders.csv")
    assert "New dataset `public.orders`." in said(app)
    assert "there (1 report), possibly with other tables." in said(app)
    assert app.checkbox(key="save:adopt").value is False


def test_a_dataset_of_several_tables_is_asked_about(open_app: App, save: Callable[..., object]) -> None:
    orders, parcels = ["order_id", "customer_id"], ["parcel", "weight"]
    for number, names in enumerate((orders, parcels, orders)):
        ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in names]
        metadata = {"dataset": "orders", "coverage": {"columns": 2, "ran": ran}}
        save(f"r-{number}", findings=[], metadata=metadata)
    app = open_dialog(open_app, "orders.csv")
    assert "Earlier versions saved several tables there." in said(app)
    press(app, "Same dataset")
    press(app, "Save as report")
    assert "Same dataset" not in labels(app)


def test_a_former_name_that_tables_may_share_is_confirmed_once(
    open_app: App, save: Callable[..., object], storage: FileStorage
) -> None:
    save("r-1", **columns("order_id", "customer_id", dataset="public"))
    app = open_dialog(open_app, "public.orders.csv")
    assert "Earlier versions may have saved other tables with the same columns there." in said(app)
    press(app, "Same dataset")
    press(app, "Save as report")
    press(app, "Save report")
    assert datasets(storage) == ["public", "public"]
    again = open_dialog(open_app, "public.orders.csv")
    assert "Joins dataset `public`" in said(again)
    assert "Same dataset" not in labels(again)


def test_a_failed_adoption_is_said_on_the_saved_report(
    open_app: App, save: Callable[..., object], storage: FileStorage
) -> None:
    save("r-1", **columns("parcel", "weight", "customer_id", dataset="public", check="other"))
    app = open_dialog(open_app, "public.orders.csv")
    app.checkbox(key="save:adopt").check()
    press(app, "Save report")
    assert datasets(storage) == ["public", "public.orders"]
    # The browser follows the link to the saved report.
    app.switch_page("views/report.py").run()
    assert "The report is saved, its history is not adopted." in said(app)


def test_a_second_click_saves_no_second_report(open_app: App, storage: FileStorage) -> None:
    app = open_dialog(open_app, "orders.csv")
    app.session_state["frame:next"] = ("views/reports.py", {})
    press(app, "Save report")
    assert datasets(storage) == []


def test_an_empty_field_means_the_dataset_that_the_file_names(open_app: App, storage: FileStorage) -> None:
    app = open_dialog(open_app, "orders.csv")
    app.text_input(key="save:dataset").set_value("")
    press(app, "Save report")
    assert datasets(storage) == ["orders"]
