"""The checks of a dataset as a table: on and off, severity, accepted share, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.rules.check_configuration import (
    MAX_SHARE,
    SEVERITY,
    CheckConfiguration,
    CheckSettings,
    known_checks,
    parameters_of,
    read_parameter,
)
from lavendertown.rules.ruleset_files import parse_yaml
from lavendertown.ui import check_actions
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import inline_code

_BY_DEFAULT = "as found"
_ROW_HEIGHT = 32


def draw_checks(dataset: str, configuration: CheckConfiguration, column: str | None) -> None:
    """Draw the checks with their settings, for all columns or for one.

    Args:
        dataset: The dataset.
        configuration: Its check configuration.
        column: The column; None for all.
    """
    shown = {check: configuration.settings_of_check(check, column) for check in known_checks()}
    frame = pd.DataFrame([_line(check, settings) for check, settings in shown.items()])
    where = inline_code(column) if column else "all columns"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"What is set here applies to {where}. Save to keep what you changed.", width="content")
        button = st.container(width="content")
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Check", "Name"],
        row_height=_ROW_HEIGHT,
        height=_ROW_HEIGHT * (len(frame) + 1) + 4,
        column_config={
            "Runs": st.column_config.CheckboxColumn(width=60),
            "Check": st.column_config.TextColumn(width=190),
            "Severity": st.column_config.SelectboxColumn(
                options=[_BY_DEFAULT, *SEVERITIES], required=True, width=110
            ),
            "Accepted share": st.column_config.NumberColumn(
                min_value=0.0,
                max_value=1.0,
                step=0.001,
                width=120,
                help="Up to this share of the rows, nothing is reported.",
            ),
            "Parameters": st.column_config.TextColumn(width=190),
            "Name": st.column_config.TextColumn(width=160),
        },
        # What is stored is part of the key: after a save or an undo, nothing counts as edited.
        key=f"checks:{dataset}:{column}:{hash(str(configuration.to_dict()))}",
    )
    button.button(
        "Save checks",
        key="checks:save",
        disabled=edited.equals(frame),
        on_click=person.run_with_name,
        args=("page", _save, dataset, column, frame.to_dict("records"), edited.to_dict("records")),
    )


def _line(check: str, settings: CheckSettings) -> dict[str, Any]:
    own = {name: settings.parameters.get(name, default) for name, default in parameters_of(check).items()}
    texts = [f"{name}: {_format_parameter(value)}" for name, value in own.items()]
    return {
        "Runs": settings.enabled is not False,
        "Check": known_checks()[check].title,
        "Severity": settings.parameters.get(SEVERITY, _BY_DEFAULT),
        "Accepted share": float(settings.parameters.get(MAX_SHARE, 0.0)),
        "Parameters": ", ".join(texts),
        "Name": check,
    }


def _format_parameter(value: Any) -> str:
    """Return a value of a parameter as YAML on one line; JSON is YAML, too."""
    if isinstance(value, (list, tuple)):
        return json_codec.dumps(list(value)).decode()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _save(
    dataset: str, column: str | None, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        for old, new in zip(before, after, strict=True):
            if old != new:
                configuration = _with_line(configuration, column, old, new)
        return configuration

    check_actions.change_checks(dataset, change, "page")


def _with_line(
    configuration: CheckConfiguration, column: str | None, old: Mapping[str, Any], new: Mapping[str, Any]
) -> CheckConfiguration:
    """Return the configuration with what a person changed in the line of a check."""
    check = str(new["Name"])
    own = configuration.checks if column is None else configuration.column(column).checks
    settings = own.get(check, CheckSettings())
    # What applies without the settings of this line: those of a pattern, or of all columns.
    without = _with_settings(configuration, column, check, CheckSettings())
    inherited = without.settings_of_check(check, column)
    enabled, parameters = settings.enabled, dict(settings.parameters)
    if old["Runs"] != new["Runs"]:
        enabled = None if new["Runs"] == (inherited.enabled is not False) else bool(new["Runs"])
    if old["Severity"] != new["Severity"]:
        if new["Severity"] == _BY_DEFAULT and SEVERITY in inherited.parameters:
            raise InvalidInputError(
                f"The severity of {check} is set by a pattern or for all columns; change it there."
            )
        parameters[SEVERITY] = new["Severity"]
    if old["Accepted share"] != new["Accepted share"]:
        # A cleared cell is NaN.
        parameters[MAX_SHARE] = 0.0 if pd.isna(new["Accepted share"]) else new["Accepted share"]
    if old["Parameters"] != new["Parameters"]:
        parameters |= _read_parameters(check, str(new["Parameters"] or ""))
    defaults = {SEVERITY: _BY_DEFAULT, MAX_SHARE: 0.0, **_default_parameters(check)}
    kept = {
        name: value
        for name, value in parameters.items()
        if value != inherited.parameters.get(name, defaults[name])
    }
    return _with_settings(configuration, column, check, CheckSettings(enabled, kept))


def _with_settings(
    configuration: CheckConfiguration, column: str | None, check: str, settings: CheckSettings
) -> CheckConfiguration:
    """Return the configuration with the settings of a check, of a column or of all."""
    if column is None:
        return configuration.with_check(check, settings)
    set_for = configuration.column(column)
    checks = {**set_for.checks, check: settings}
    kept = {name: each for name, each in checks.items() if each != CheckSettings()}
    return configuration.with_column(column, replace(set_for, checks=kept))


def _read_parameters(check: str, text: str) -> dict[str, Any]:
    """Return the parameters in the text of a line; those that it leaves out have their default."""
    values = parse_yaml(f"{{{text}}}", f"The text {text!r}")
    if not isinstance(values, dict):
        raise InvalidInputError(f"Write parameters as in 'k: 4', not {text!r}.")
    read = {name: read_parameter(check, name, value, "Parameters") for name, value in values.items()}
    return {**_default_parameters(check), **read}


def _default_parameters(check: str) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in parameters_of(check).items()
    }
