"""A menu that downloads a report or a list of findings in each export format."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lavendertown.interchange.exports import ExportContent
from lavendertown.interchange.exports.formats import EXPORT_FORMATS, ExportFormat

_ICONS = {
    "json": ":material/data_object:",
    "csv": ":material/table:",
    "excel": ":material/table_view:",
    "parquet": ":material/dataset:",
    "markdown": ":material/notes:",
    "sarif": ":material/code:",
    "html": ":material/web:",
}
_ORDER = ("html", "excel", "csv", "json", "markdown", "parquet", "sarif")


def draw_download_menu(
    label: str, key: str, file_name: str, read: Callable[[], ExportContent], *, is_tertiary: bool = False
) -> None:
    """Draw the menu. Nothing is read before it is opened, and a file is made when it is downloaded.

    Args:
        label: The label of the menu.
        key: A prefix of the session keys.
        file_name: The file name without its ending.
        read: Returns what is downloaded.
        is_tertiary: Whether the menu looks like a link.
    """
    kind = "tertiary" if is_tertiary else "secondary"
    menu = st.popover(label, icon=":material/download:", type=kind, key=key, on_change="rerun")  # type: ignore[arg-type]
    if not menu.open:
        return
    with menu:
        for each in sorted(EXPORT_FORMATS, key=lambda each: _ORDER.index(each.name)):
            _draw_button(each, key, file_name, read)


def _draw_button(
    export_format: ExportFormat, key: str, file_name: str, read: Callable[[], ExportContent]
) -> None:
    st.download_button(
        f"{export_format.label} ({export_format.ending})",
        lambda: export_format.write(read()),
        file_name=f"{file_name}{export_format.ending}",
        mime=export_format.media_type,
        key=f"{key}:{export_format.name}",
        type="tertiary",
        icon=_ICONS[export_format.name],
        on_click="ignore",
    )
