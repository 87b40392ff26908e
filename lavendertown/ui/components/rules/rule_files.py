"""Import rules from files, and export them in the formats of other tools."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.interchange.rulesets import RULESET_FORMATS, ReadRules, read_rules, write_rules
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.ruleset_files import MAX_BYTES, format_values
from lavendertown.ui import errors
from lavendertown.ui.components.rules import rule_list
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_DONE = "rules:imported"
_PLACE = "rules:import"
_ENDINGS = {
    "yaml": "yaml",
    "json": "json",
    "pandera": "yaml",
    "pandera-python": "py",
    "great-expectations": "json",
    "frictionless": "json",
    "odcs": "yaml",
}
_NAMES = {
    "yaml": "Rule file (YAML)",
    "json": "Rule file (JSON)",
    "pandera": "Pandera schema (YAML)",
    "pandera-python": "Pandera schema (Python)",
    "great-expectations": "Great Expectations suite",
    "frictionless": "Frictionless schema",
    "odcs": "ODCS data contract",
}


def open_import_dialog(dataset: str) -> None:
    """Open the dialog that adds the rules of a file to a dataset."""
    st.session_state.pop(_DONE, None)
    layout.withdraw_question(_PLACE)
    _draw_import(dataset)


@st.dialog("Import rules", icon=":material/upload_file:")
def _draw_import(dataset: str) -> None:
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    st.caption(
        "A rule file, a Pandera schema (YAML), a Great Expectations suite, a Frictionless schema or an ODCS "
        "data contract. Rules of the same name are replaced."
    )
    file = st.file_uploader(
        "File with rules", type=["yaml", "yml", "json"], max_upload_size=MAX_BYTES // 10**6, key="rules:file"
    )
    if file is None:
        return
    table = st.text_input(
        "Table", placeholder="Only for a contract that describes several", key="rules:table"
    )
    try:
        read = _read_file(file.getvalue(), file.name, table.strip() or None)
    except LavenderTownError as error:
        errors.show_error(error)
        return
    st.markdown(f"{format_count(len(read.ruleset.rules), 'rule')} in {escape_markdown(file.name)}.")
    for sentence in read.skipped:
        st.markdown(f":small[:orange[:material/warning: Not translated:] {escape_markdown(sentence)}]")
    layout.show_notice(_PLACE)
    st.button(
        f"Add {format_count(len(read.ruleset.rules), 'rule')}",
        type="primary",
        key="rules:add",
        disabled=not read.ruleset.rules or layout.has_question(_PLACE),
        on_click=person.run_with_name,
        args=(_PLACE, _add, dataset, read.ruleset.rules),
    )


def _read_file(content: bytes, name: str, table: str | None) -> ReadRules:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not text in UTF-8; save it as YAML or JSON in UTF-8.") from error
    return read_rules(text, name, None, table)


def _add(dataset: str, rules: Sequence[Rule]) -> None:
    if rule_list.add_rules(dataset, rules, _PLACE):
        st.session_state[_DONE] = True


def draw_export_menu(dataset: str, configuration: CheckConfiguration) -> None:
    """Draw the menu that downloads the rules in each format, and the whole configuration."""
    menu = st.popover("Export", icon=":material/download:", key="rules:export", on_change="rerun")
    if not menu.open:
        return
    ruleset = RuleSet(dataset, "", list(configuration.rules))
    with menu:
        for name in RULESET_FORMATS:
            text, skipped = write_rules(ruleset, name) if ruleset.rules else ("", [])
            left_out = f" · {format_count(len(skipped), 'rule')} left out" if skipped else ""
            _draw_download(f"{_NAMES[name]}{left_out}", text, f"{dataset}-rules.{_ENDINGS[name]}", name)
        text = format_values(configuration.to_dict())
        _draw_download("Checks and rules (YAML)", text, f"{dataset}-checks.yaml", "checks")


def _draw_download(label: str, text: str, file_name: str, key: str) -> None:
    st.download_button(
        label,
        text.encode("utf-8"),
        file_name=file_name,
        key=f"rules:export:{key}",
        type="tertiary",
        disabled=not text,
        on_click="ignore",
    )
