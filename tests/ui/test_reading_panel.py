"""The panel on Inspect in which users correct how a file was read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage, Storage, get_storage_backend
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui.components.shared.event_text import describe_settings_event
from tests.tables.test_excel import workbook
from tests.ui.test_inspect import button, upload

App = Callable[..., AppTest]
CSV = b"code;amount\n" + b"".join(b"%d;%d\n" % (i * 7, i % 9) for i in range(20))


def result_of(app: AppTest) -> InspectionResult:
    result: InspectionResult = app.session_state["inspect:result"]
    return result


def read_again(app: AppTest) -> AppTest:
    """Send what was entered, which reads the file again."""
    app.run()
    assert not app.exception
    return app


def set_type(app: AppTest, row: int, column_type: object) -> None:
    """Edit the type of a column, as the browser sends it."""
    key = str(button(app, "Reset").key).removesuffix(":reset") + ":types"
    edits = {"edited_rows": {row: {"Type": column_type}}, "added_rows": [], "deleted_rows": []}
    app.session_state[key] = edits


def field(app: AppTest, label: str):
    (element,) = [
        each for each in [*app.selectbox, *app.number_input, *app.text_input] if each.label == label
    ]
    return element


@pytest.fixture
def app(open_app: App) -> AppTest:
    return upload(open_app("inspect_"), "orders.csv", CSV)


def test_the_fields_begin_with_what_was_detected(app: AppTest) -> None:
    assert [field(app, label).value for label in ("Encoding", "Delimiter", "Header row")] == ["utf-8", ";", 1]
    assert [field(app, label).value for label in ("Decimal sign", "Date order")] == ["detect"] * 2
    assert result_of(app).given == {}


def test_only_changed_settings_are_set(app: AppTest) -> None:
    field(app, "Missing-value words").set_value("3, none ,")
    set_type(app, 0, "Text")
    app = read_again(app)
    assert "Set: missing-value words 3 none, code as text" in [
        text.value.replace("\\", "") for text in app.caption
    ]
    assert result_of(app).given == {"types": {"code": "text"}, "null_words": ["3", "none"]}
    assert result_of(app).column_kinds == ["text", "number"]
    assert any("amount is empty" in box.label for box in app.expander)
    assert field(app, "Missing-value words").value == "3, none"
    app = button(app, "Reset").click().run()
    assert (result_of(app).given, result_of(app).column_kinds) == ({}, ["number", "number"])


def test_settings_are_kept_until_the_next_file(app: AppTest) -> None:
    field(app, "Delimiter").set_value("|")
    app = read_again(app)
    field(app, "Decimal sign").set_value(",")
    app = read_again(app)
    assert result_of(app).given == {"delimiter": "|", "decimal": ","}
    button(app, "Start over").click().run()
    app = upload(app, "orders.csv", CSV)
    assert (result_of(app).given, field(app, "Delimiter").value) == ({}, ";")


def test_a_file_without_delimiters_is_one_column(app: AppTest) -> None:
    field(app, "Delimiter").set_value("\x1f")
    app = read_again(app)
    assert result_of(app).columns == ["code;amount"]


def test_the_delimiter_that_is_shown_counts_below_another_header_row(app: AppTest) -> None:
    field(app, "Header row").set_value(3)
    app = read_again(app)
    assert result_of(app).given == {"delimiter": ";", "header_row": 3}
    assert result_of(app).columns == ["7", "1"]


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        ("Header row", 99, "orders.csv has 21 lines, but its table is said to start at line 99"),
        ("Encoding", "utf-16", "a character is not valid utf"),
    ],
)
def test_a_setting_that_does_not_fit_the_file_is_one_sentence_and_the_result_stays(
    app: AppTest, label: str, value: object, message: str
) -> None:
    before = result_of(app)
    field(app, label).set_value(value)
    app = read_again(app)
    assert [message in error.value for error in app.error] == [True]
    assert result_of(app) is before
    assert field(app, label).value == value, "what was entered is not lost"
    app.switch_page("views/reports.py").run()
    app.switch_page("views/inspect_.py").run()
    assert field(app, label).value == value, "nor on the way to another screen and back"
    assert before.source.exists()
    app = button(app, "Reset").click().run()
    assert not app.error
    assert field(app, "Header row").value == 1


SETTINGS = [
    ("Encoding", "cp1252", {"encoding": "cp1252"}),
    ("Delimiter", "|", {"delimiter": "|"}),
    ("Comment sign", "!", {"comment": "!"}),
    ("Header row", 3, {"header_row": 3, "delimiter": ";"}),
    ("Header rows", 2, {"header_rows": 2}),
    ("Lines above the table", 2, {"skip_lines": 2}),
    ("Decimal sign", ",", {"decimal": ","}),
    ("Thousands separator", "", {"thousands": ""}),
    ("Date order", "month", {"date_order": "month"}),
    ("Missing-value words", "3", {"null_words": ["3"]}),
]


@pytest.mark.parametrize(("label", "value", "settings"), SETTINGS, ids=lambda each: str(each))
def test_every_field_sets_its_setting(
    app: AppTest, label: str, value: object, settings: dict[str, Any]
) -> None:
    field(app, label).set_value(value)
    app = read_again(app)
    assert result_of(app).given == settings
    assert field(app, label).value == value


def test_the_fields_of_lines_and_comments_begin_with_what_was_detected(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders.csv", b"# exported\n" + CSV)
    labels = ("Comment sign", "Header row", "Header rows", "Lines above the table")
    assert [field(app, label).value for label in labels] == ["#", 2, 1, 1]


def test_the_header_row_and_the_lines_above_it_cannot_contradict_each_other(app: AppTest) -> None:
    field(app, "Header row").set_value(5)
    field(app, "Lines above the table").set_value(2)
    app = read_again(app)
    sentence = "Row 5 has the column names, so 4 are above it; change only one of the two."
    assert [text.value for text in app.markdown if sentence in text.value.replace("\\", "")]
    assert result_of(app).given == {}


def test_lines_above_the_table_take_the_place_of_a_header_row_that_was_set(app: AppTest) -> None:
    field(app, "Header row").set_value(3)
    app = read_again(app)
    field(app, "Lines above the table").set_value(4)
    app = read_again(app)
    assert result_of(app).given == {"delimiter": ";", "skip_lines": 4}


def test_a_value_that_is_not_possible_has_a_sentence_at_once(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders.xlsx", workbook(May=[["a", "b", "c"], [1, 2, 3], [4, 5, 6]]))
    field(app, "Cells").set_value("B4").run()
    assert [text.value for text in app.markdown if "is not a range of cells" in text.value]


def test_the_cells_of_a_sheet_begin_with_those_that_were_read(open_app: App) -> None:
    rows = [["report"], [None, "a", "b", "c"], [None, 1, 2, 3], [None, 4, 5, 6], [None, "end"]]
    app = upload(open_app("inspect_"), "orders.xlsx", workbook(May=rows))
    assert field(app, "Cells").value == "B1:D5"
    field(app, "Cells").set_value("B2:D4")
    app = read_again(app)
    assert (result_of(app).given, result_of(app).row_count) == ({"cell_range": "B2:D4"}, 2)
    assert result_of(app).columns == ["a", "b", "c"]
    field(app, "Cells").set_value("M9:N9")
    app = read_again(app)
    assert ["are empty; its cells are" in error.value for error in app.error] == [True]


def test_a_parquet_file_has_the_settings_for_values(open_app: App) -> None:
    out = io.BytesIO()
    pl.DataFrame({"code": [1, 2, 3], "amount": ["1,5", "2,5", "x"]}).write_parquet(out)
    app = upload(open_app("inspect_"), "orders.parquet", out.getvalue())
    assert not [each for each in app.selectbox if each.label in ("Encoding", "Delimiter", "Sheet")]
    field(app, "Decimal sign").set_value(",")
    field(app, "Missing-value words").set_value("x")
    set_type(app, 0, "Text")
    app = read_again(app)
    assert result_of(app).column_kinds == ["text", "number"]


def test_a_type_that_the_table_does_not_offer_is_left_out(app: AppTest) -> None:
    set_type(app, 0, "![](//x)money")
    assert result_of(read_again(app)).given == {}


def test_another_delimiter_is_read_once_it_is_entered(app: AppTest) -> None:
    field(app, "Delimiter").set_value("other").run()
    assert [text.value for text in app.markdown if "is not a delimiter" in text.value]
    field(app, "Other delimiter").set_value("|")
    assert result_of(read_again(app)).given == {"delimiter": "|"}


def test_a_file_that_was_deleted_is_named(app: AppTest) -> None:
    result_of(app).source.unlink()
    field(app, "Decimal sign").set_value(",")
    app = read_again(app)
    assert ["orders.csv is no longer on the server. Upload it again." in e.value for e in app.error] == [True]


def test_a_workbook_has_its_sheets_to_choose_from(open_app: App) -> None:
    book = openpyxl.Workbook()
    for name, rows in {"May": [["title"], [], ["a", "b", "c"], [1, 2, 3]], "June": [["d"], [1]]}.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    app = upload(open_app("inspect_"), "orders.xlsx", content.getvalue())
    assert field(app, "Header row").value == 3
    field(app, "Header row").set_value(4)
    app = read_again(app)
    field(app, "Sheet").set_value("June")
    app = read_again(app)
    assert result_of(app).given == {"sheet": "June"}, "the row of the names was that of the other sheet"
    assert result_of(app).columns == ["d"]
    assert not [each for each in app.selectbox if each.label in ("Encoding", "Delimiter")]


@pytest.fixture(params=["file", "database"])
def store(
    request: pytest.FixtureRequest, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    """The store that the dashboard uses: files, or SQLite."""
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", request.param)
    opened = get_storage_backend()
    yield opened
    opened.close()


def save(app: AppTest) -> AppTest:
    button(app, "Save as report").click().run()
    app = button(app, "Save report").click().run()
    assert not app.exception
    return app


def remembered_line(app: AppTest) -> list[str]:
    return [text.value.replace("\\", "") for text in app.markdown if "Read as last time" in text.value]


def test_the_next_file_of_the_dataset_is_read_as_the_last(store: Storage, open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders_1.csv", CSV)
    field(app, "Missing-value words").set_value("3")
    save(read_again(app))
    assert store.dataset_settings.load("orders", "reading") == {"null_words": ["3"]}
    (event,) = store.audit_log(component="dataset_settings")
    assert event["actor"] == "Chiyo Tanaka"

    app = upload(open_app("inspect_"), "orders_2.csv", CSV)
    assert remembered_line(app) == ["**Read as last time:** missing-value words 3"]
    assert result_of(app).given == {"null_words": ["3"]}
    save(app)
    assert len(store.audit_log(component="dataset_settings")) == 1

    app = upload(open_app("inspect_"), "customers.csv", CSV)
    assert (remembered_line(app), result_of(app).given) == ([], {})

    app = upload(open_app("inspect_"), "orders_3.csv", CSV)
    app = button(app, "Reset").click().run()
    assert (remembered_line(app), result_of(app).given) == ([], {})
    save(app)
    assert store.dataset_settings.load("orders", "reading") == {}


def test_the_row_key_of_the_next_file_is_the_one_chosen_last(store: Storage, open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders_1.csv", CSV)
    button(app, "Save as report").click().run()
    assert app.multiselect(key="save:key").value == ["code"]
    app.multiselect(key="save:key").set_value(["amount", "code"])
    button(app, "Save report").click().run()
    assert store.dataset_settings.load_row_key("orders") == ["amount", "code"]
    (event,) = store.audit_log(component="dataset_settings")
    assert event["actor"] == "Chiyo Tanaka"
    assert describe_settings_event(event) == "changed the row key of **orders**: amount, code"

    app = upload(open_app("inspect_"), "orders_2.csv", CSV)
    assert result_of(app).evidence.key == ["amount", "code"]
    save(app)
    assert len(store.audit_log(component="dataset_settings")) == 1

    app = upload(open_app("inspect_"), "orders_3.csv", CSV.replace(b"amount", b"price"))
    assert result_of(app).evidence.key == ["code"]


def test_stored_settings_that_are_not_used_are_named_above_the_result(
    storage: FileStorage, open_app: App
) -> None:
    storage.dataset_settings.save("orders", "row_key", {"columns": 7}, actor="Ana")
    storage.dataset_settings.save("orders", "checks", {"checks": 7}, actor="Ana")
    app = upload(open_app("inspect_"), "orders.csv", CSV)
    assert result_of(app).evidence.key == ["code"]
    shown = [error.value for error in app.error]
    assert any("The stored check configuration is not used." in text for text in shown)
    assert any("The row key stored for dataset 'orders' is not a list of columns." in text for text in shown)


def test_a_detected_reading_is_not_stored(store: Storage, app: AppTest) -> None:
    save(app)
    assert store.dataset_settings.load("orders", "reading") == {}
    assert not store.audit_log(component="dataset_settings")


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"header_row": 99}, "its table is said to start at line 99"),
        ({"colour": "red"}, "There is no reading setting 'colour'"),
    ],
)
def test_stored_settings_that_do_not_fit_are_named_and_detected_instead(
    stored: dict[str, object], reason: str, storage: FileStorage, open_app: App
) -> None:
    storage.dataset_settings.save("orders", "reading", stored, actor="Ana")
    app = upload(open_app("inspect_"), "orders.csv", CSV)
    (error,) = app.error
    assert reason in error.value.replace("\\", "")
    assert error.value.startswith("**Not read as last time.**")
    assert result_of(app).columns == ["code", "amount"]
    assert result_of(app).source.exists()
    save(app)
    assert storage.dataset_settings.load("orders", "reading") == stored, "one odd file changes nothing"


def test_a_file_of_fixed_width_has_no_delimiter_to_keep(open_app: App) -> None:
    rows = "".join(f"{f'shop {i}':<12}{f'town {i % 4}':<14}{i * 3:>8}\n" for i in range(20))
    text = f"{'name':<12}{'town':<14}{'amount':>8}\n{rows}"
    app = upload(open_app("inspect_"), "shops.txt", text.encode())
    assert result_of(app).columns == ["name", "town", "amount"]
    assert field(app, "Delimiter").value == "detect"
    field(app, "Header row").set_value(3)
    app = read_again(app)
    assert result_of(app).given == {"header_row": 3}
