"""The Rules screen: rules, checks, columns and versions of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration, CheckSettings, ColumnSettings
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.ui.components.rules import check_table
from tests.ui.test_expected import CSV, texts
from tests.ui.test_inspect import button, upload

App = Callable[..., AppTest]
Save = Callable[..., Any]
RANGE = Rule("amount is plausible", "", "range", "amount", {"min_value": 0, "max_value": 9})


def stored(storage: FileStorage) -> CheckConfiguration:
    return storage.dataset_settings.load_checks("orders")


def keep(storage: FileStorage, configuration: CheckConfiguration) -> None:
    storage.dataset_settings.save_checks("orders", configuration, actor="Ana Ferreira")


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["rules:tab"] = name
    return app.run()


def test_without_a_dataset_the_screen_says_what_to_do(open_app: App) -> None:
    app = open_app("rules")
    assert not app.exception
    assert "No datasets yet" in texts(app)


def test_a_new_rule_cannot_be_saved_before_it_can_run(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    app = button(open_app("rules"), "Add rule").click().run()
    assert not app.exception
    assert "a not_null rule needs a column" in texts(app)
    assert app.button(key="rule:save").disabled
    assert storage.audit_log(component="dataset_settings") == []


def test_rules_are_switched_off_deleted_and_brought_back(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    keep(storage, CheckConfiguration(rules=(RANGE,)))
    app = open_app("rules", dataset="orders")
    app = app.toggle[0].set_value(False).run()
    assert not app.exception
    assert [rule.enabled for rule in stored(storage).rules] == [False]
    app = button(app.run(), "Delete").click().run()
    assert stored(storage).rules == ()
    app = button(app, "Undo").click().run()
    assert [rule.name for rule in stored(storage).rules] == ["amount is plausible"]
    actors = {event["actor"] for event in storage.audit_log(component="dataset_settings")}
    assert actors == {"Ana Ferreira", "Chiyo Tanaka"}


def test_a_stored_rule_set_is_assigned_to_a_dataset(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-1")
    storage.save_ruleset(RuleSet("shop", "", [RANGE]))
    app = open_app("rules", dataset="orders")
    (field,) = [each for each in app.multiselect if each.label == "Rule sets that run with this dataset"]
    field.set_value(["shop"]).run()
    assert stored(storage).rule_sets == ("shop",)


def test_suggestions_of_the_inspected_table_are_kept_by_a_click(open_app: App, storage: FileStorage) -> None:
    rows = b"order_id,customer_id\n" + b"".join(b"%d,%d\n" % (i, i % 7) for i in range(1, 60))
    app = upload(open_app("inspect_"), "orders.csv", rows)
    app = app.switch_page("views/rules.py").run()
    label = next(each.label for each in app.button if each.label.startswith("Suggest rules from orders"))
    app = button(app, label).click().run()
    assert not app.exception
    label = next(each.label for each in app.button if "is never empty" in each.label)
    button(app, label).click().run()
    assert [rule.rule_type for rule in stored(storage).rules] == ["not_null"]


def test_what_is_expected_of_a_column_is_set_and_cleared(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    save("r-1")
    keep(storage, CheckConfiguration(columns={"price": ColumnSettings(low=0)}))
    app = open_tab(open_app("rules", dataset="orders"), "Columns")
    assert "expected range 0 or more" in texts(app)
    app.selectbox(key="columns:chosen:orders").set_value("price").run()
    assert not app.exception
    box = next(each for each in app.checkbox if each.label == "Empty values are expected")
    box.check().run()
    app.button(key="columns:save").click().run()
    assert stored(storage).column("price") == ColumnSettings(optional=True, low=0)
    app = open_tab(app, "Columns")
    app.button(key="columns:clear:price").click().run()
    assert stored(storage) == CheckConfiguration()


def test_versions_are_listed_and_restored(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-1")
    first = CheckConfiguration(checks={"nulls": CheckSettings(False)})
    keep(storage, first)
    keep(storage, CheckConfiguration(rules=(RANGE,)))
    app = open_tab(open_app("rules", dataset="orders"), "History")
    assert "nulls: switched off" in texts(app)
    assert "rule amount is plausible added" in texts(app)
    restore = [each for each in app.button if each.label == "Restore this version"]
    assert [each.disabled for each in restore] == [True, False]
    restore[1].click().run()
    assert stored(storage) == first


@pytest.mark.parametrize(
    ("changed", "settings"),
    [
        ({"Runs": False}, CheckSettings(False)),
        ({"Severity": "info"}, CheckSettings(None, {"severity": "info"})),
        ({"Accepted share": 0.5}, CheckSettings(None, {"max_share": 0.5})),
        ({"Parameters": "k: 4"}, CheckSettings(None, {"k": 4})),
        ({"Parameters": "k: 3"}, CheckSettings()),
    ],
)
@pytest.mark.parametrize("column", [None, "price"])
def test_an_edited_line_of_the_table_of_checks(
    changed: dict[str, Any], settings: CheckSettings, column: str | None
) -> None:
    line = check_table._line("outliers", CheckSettings())
    after = check_table._with_line(CheckConfiguration(), column, line, {**line, **changed})
    assert after.settings_of_check("outliers", column) == settings
    back = check_table._with_line(after, column, {**line, **changed}, line)
    assert back == CheckConfiguration()


@pytest.mark.parametrize(
    ("stored", "changed", "settings"),
    [
        ({"columns": {"*ice": {"checks": {"outliers": False}}}}, {"Runs": True}, CheckSettings(True)),
        (
            {"checks": {"outliers": {"max_share": 0.2}}},
            {"Accepted share": 0.0},
            CheckSettings(None, {"max_share": 0.0}),
        ),
        ({"checks": {"outliers": {"k": 5}}}, {"Parameters": "k: 3"}, CheckSettings(None, {"k": 3})),
        ({}, {"Accepted share": float("nan")}, CheckSettings()),
    ],
)
def test_a_column_overrides_what_is_set_for_others(
    stored: dict[str, Any], changed: dict[str, Any], settings: CheckSettings
) -> None:
    configuration = CheckConfiguration.from_dict(stored)
    line = check_table._line("outliers", configuration.settings_of_check("outliers", "price"))
    after = check_table._with_line(configuration, "price", line, {**line, **changed})
    assert after.column("price").checks.get("outliers", CheckSettings()) == settings


def test_a_list_of_columns_is_written_and_read_alike() -> None:
    stored = CheckConfiguration.from_dict({"checks": {"duplicates": {"columns": ["a", "b c"]}}})
    line = check_table._line("duplicates", stored.settings_of_check("duplicates"))
    assert 'columns: ["a","b c"]' in line["Parameters"]
    after = check_table._with_line(stored, None, line, {**line, "Severity": "info"})
    after = check_table._with_line(after, None, line, {**line, "Parameters": line["Parameters"] + " "})
    assert after.settings_of_check("duplicates").parameters["columns"] == ["a", "b c"]


def test_thresholds_of_drift_are_shown_and_saved_like_other_parameters() -> None:
    stored = CheckConfiguration.from_dict({"checks": {"drift_missing": False}})
    assert not check_table._line("drift_missing", stored.settings_of_check("drift_missing"))["Runs"]
    line = check_table._line("drift_distribution", stored.settings_of_check("drift_distribution"))
    assert (line["Check"], line["Parameters"]) == ("Distribution of numbers", "threshold: 0.1")
    after = check_table._with_line(stored, None, line, {**line, "Parameters": "threshold: 1.5"})
    assert after.settings_of_check("drift_distribution").parameters == {"threshold": 1.5}
    with pytest.raises(InvalidInputError, match="factor must be above 1"):
        check_table._with_line(
            stored,
            None,
            {**line, "Name": "drift_row_count"},
            {**line, "Name": "drift_row_count", "Parameters": "factor: 0.5"},
        )


def test_the_table_of_checks_is_drawn(open_app: App, save: Save, storage: FileStorage) -> None:
    save("r-1")
    keep(storage, CheckConfiguration(checks={"nulls": CheckSettings(False)}))
    app = open_tab(open_app("rules", dataset="orders"), "Checks")
    assert not app.exception
    assert app.button(key="checks:save").disabled


def test_a_file_of_this_session_is_read_again_for_a_preview(open_app: App) -> None:
    from lavendertown.ui import inspections

    app = upload(open_app("inspect_"), "orders.csv", CSV)
    result = app.session_state["inspect:result"]
    answer = inspections.check_rule(result, Rule("r", "", "not_null", "customer_id"))
    assert (answer["outcome"], answer["count"], answer["total"]) == ("failed", 2, 4)
    assert [row["row"] for row in answer["rows"]] == [3, 5]
    assert inspections.check_rule(result, Rule("r", "", "not_null", "order_id"))["outcome"] == "passed"
    other = inspections.check_rule(result, Rule("r", "", "reference", "order_id", {"table": "/etc/passwd"}))
    assert other["outcome"] == "not_run"
    assert "there is no table '/etc/passwd'" in other["description"]
