"""A menu that downloads a report or a list of findings in each export format."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lavendertown.interchange.exports import ExportContent
from lavendertown.interchange.exports.formats import EXPORT_FORMATS, ExportFormat
from lavendertown.transfer.bundles.writing import BUNDLE_ENDING, BUNDLE_FORMAT_NAME, BUNDLE_MEDIA_TYPE

_ICONS = {
    "json": ":material/data_object:",
    "csv": ":material/table:",
    "excel": ":material/table_view:",
    "parquet": ":material/dataset:",
    "markdown": ":material/notes:",
    "sarif": ":material/code:",
    "html": ":material/web:",
    "bundle": ":material/folder_zip:",
}
_ORDER = ("html", "excel", "csv", "json", "markdown", "parquet", "sarif")


def draw_download_menu(
    label: str,
    key: str,
    file_name: str,
    read: Callable[[], ExportContent],
    *,
    is_tertiary: bool = False,
    read_bundle: Callable[[], bytes] | None = None,
) -> None:
    """Draw the menu. Nothing is read before it is opened, and a file is made when it is downloaded.

    Args:
        label: The label of the menu.
        key: A prefix of the session keys.
        file_name: The file name without its ending.
        read: Returns what is downloaded.
        is_tertiary: Whether the menu looks like a link.
        read_bundle: Returns a bundle, for the menu of a report; None to offer none.
    """
    kind = "tertiary" if is_tertiary else "secondary"
    menu = st.popover(label, icon=":material/download:", type=kind, key=key, on_change="rerun")  # type: ignore[arg-type]
    if not menu.open:
        return
    with menu:
        for each in sorted(EXPORT_FORMATS, key=lambda each: _ORDER.index(each.name)):
            _draw_button(each, key, file_name, read)
        if read_bundle is not None:
            _draw_bundle_button(key, file_name, read_bundle)


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


def _draw_bundle_button(key: str, file_name: str, read_bundle: Callable[[], bytes]) -> None:
    st.download_button(
        f"Bundle ({BUNDLE_ENDING})",
        read_bundle,
        file_name=f"{file_name}{BUNDLE_ENDING}",
        mime=BUNDLE_MEDIA_TYPE,
        key=f"{key}:{BUNDLE_FORMAT_NAME}",
        type="tertiary",
        icon=_ICONS[BUNDLE_FORMAT_NAME],
        help="The report with its evidence, comments and decisions, for another team to import.",
        on_click="ignore",
    )
