"""The inspection of this session: start and repeat it, keep its result, and discard it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown.core.configured_sources import ConfiguredSource, find_source
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import FileLimitError, InvalidInputError, LavenderTownError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.transfer.bundles.reading import Bundle, is_bundle, open_bundle
from lavendertown.ui import inspections, queries
from lavendertown.ui.components.inspect import compare_with, reading_panel
from lavendertown.ui.inspections import Comparison, Inspection
from lavendertown.ui.server import uploads
from lavendertown.ui.server.uploads import Upload

_INSPECTION = "inspect:running"
_REPEATED = "inspect:repeated"
_RESULT = "inspect:result"
_ROUND = "inspect:round"
_REFUSAL = "inspect:refusal"
_BUNDLE = "inspect:bundle"


def current_inspection() -> Inspection | None:
    """Return the inspection of this session; None before a file is chosen."""
    return st.session_state.get(_INSPECTION)


def repeated_inspection() -> Inspection | None:
    """Return the inspection that repeats the current one with other settings, while it runs."""
    return st.session_state.get(_REPEATED)


def current_result() -> InspectionResult | None:
    """Return the result of the current inspection; None before it has ended."""
    return st.session_state.get(_RESULT)


def current_bundle() -> Bundle | None:
    """Return the bundle that was uploaded; None if it was another file, or none."""
    return st.session_state.get(_BUNDLE)


def upload_round() -> int:
    """Return a number that changes when a new upload is offered, for the key of the upload."""
    return int(st.session_state.get(_ROUND, 0))


def current_refusal() -> tuple[LavenderTownError | None, bool]:
    """Return why the last data could not be inspected, and whether they were a configured source."""
    refusal: tuple[LavenderTownError | None, bool] = st.session_state.get(_REFUSAL, (None, False))
    return refusal


def forget_refusal() -> None:
    """Forget why the last data could not be inspected."""
    st.session_state.pop(_REFUSAL, None)


def inspect_files(files: Sequence[UploadedFile]) -> None:
    """Inspect uploaded files, which form one table; a bundle is read to be imported."""
    try:
        upload = uploads.keep_uploads(files)
        if _has_bundle(upload):
            st.session_state.pop(_REFUSAL, None)
            st.session_state[_BUNDLE] = _read_bundle(upload)
            return
        dataset = dataset_name(upload.parts[0] if upload.parts else upload.name)
        st.session_state[_INSPECTION] = _start_inspection(upload, dataset, may_import=True)
    except LavenderTownError as error:
        show_refusal(error)


def _has_bundle(upload: Upload) -> bool:
    """Return whether an upload is a bundle; delete it if it is something that cannot be imported here."""
    paths = [upload.path / str(number) for number in range(len(upload.parts))] or [upload.path]
    try:
        for path, name in zip(paths, upload.parts or [upload.name], strict=True):
            with path.open("rb") as file:
                if not is_bundle(file, name):
                    continue
            if upload.parts:
                raise InvalidInputError(f"{name} is a bundle, which is imported alone. Upload it by itself.")
            return True
    except LavenderTownError:
        uploads.upload_folders.delete_path(uploads.session_id(), upload.path)
        raise
    return False


def _read_bundle(upload: Upload) -> Bundle:
    """Return the bundle in an upload, and delete the file, which is not needed any more."""
    try:
        with upload.path.open("rb") as file:
            return open_bundle(file, upload.name, limits_from_settings(load_settings()))
    finally:
        uploads.upload_folders.delete_path(uploads.session_id(), upload.path)


def inspect_as_table() -> None:
    """Inspect the uploaded files as a table, although they look like results of another tool."""
    current: Inspection = st.session_state[_INSPECTION]
    if isinstance(current.upload, Upload):
        try:
            upload = current.upload
            dataset = dataset_name(upload.parts[0] if upload.parts else upload.name)
            st.session_state[_INSPECTION] = current.replaced_by(_start_inspection(upload, dataset))
        except LavenderTownError as error:
            show_refusal(error)


def _start_inspection(
    data: Upload | ConfiguredSource, dataset: str, *, may_import: bool = False
) -> Inspection:
    """Inspect data, read as the last time if settings are stored for its dataset."""
    st.session_state.pop(_REFUSAL, None)
    remembered = DETECT
    try:
        remembered = queries.stored_reading(dataset)
    except LavenderTownError as error:
        reading_panel.show_fallback(error)
    return inspections.start_inspection(data, remembered, remembered=remembered, may_import=may_import)


def inspect_source(name: str) -> None:
    """Inspect the configured source with this name, which the browser sent."""
    try:
        source = find_source(load_settings().sources, name)
        st.session_state[_INSPECTION] = _start_inspection(source, source.name)
    except LavenderTownError as error:
        show_refusal(error, about_source=True)


def inspect_table(name: str | None) -> None:
    """Inspect the table of the upload with this name, which the browser sent; None to ask again."""
    current: Inspection = st.session_state[_INSPECTION]
    stop_repeating()
    st.session_state.pop(_RESULT, None)
    if isinstance(current.upload, Upload):
        try:
            chosen = _start_inspection(
                replace(current.upload, table=name), dataset_name(PurePath(name or current.upload.name).name)
            )
            st.session_state[_INSPECTION] = current.replaced_by(chosen)
            _delete_compared_file(current)
        except LavenderTownError as error:
            show_refusal(error)


def inspect_sample() -> None:
    """Inspect the sample table."""
    st.session_state.pop(_REFUSAL, None)
    try:
        st.session_state[_INSPECTION] = inspections.start_inspection(uploads.keep_sample())
    except LavenderTownError as error:
        show_refusal(error)


def start_over() -> None:
    """Discard the file and its findings."""
    stop_repeating()
    st.session_state.pop(_BUNDLE, None)
    inspection: Inspection | None = st.session_state.pop(_INSPECTION, None)
    if inspection is not None:
        _delete_compared_file(inspection)
        inspection.discard()
    _offer_new_upload()


def reset_after_saving() -> None:
    """Offer a new upload after saving; the saved report keeps the affected rows."""
    inspection: Inspection | None = st.session_state.pop(_INSPECTION, None)
    if inspection is not None:
        _delete_compared_file(inspection)
    _offer_new_upload()


def _offer_new_upload() -> None:
    st.session_state.pop(_RESULT, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def read_again(reading: Reading) -> None:
    """Inspect the file again with these settings; the result stays until that is done."""
    current: Inspection = st.session_state[_INSPECTION]
    st.session_state[_REPEATED] = inspections.start_inspection(
        current.upload,
        reading,
        remembered=current.remembered,
        keeps_upload=True,
        comparison=current.comparison,
    )


def compare_again(comparison: Comparison | None) -> None:
    """Inspect the file again and compare it; the result stays until that is done."""
    current: Inspection = st.session_state[_INSPECTION]
    result: InspectionResult = st.session_state[_RESULT]
    try:
        st.session_state[_REPEATED] = inspections.start_inspection(
            current.upload,
            Reading.from_dict(result.given),
            remembered=current.remembered,
            keeps_upload=True,
            comparison=comparison,
        )
    except LavenderTownError:
        if comparison is not None:
            comparison.delete_file()
        raise


def stop_repeating() -> None:
    """Cancel the repeated inspection, if one is running; the result of the one before stays."""
    repeated: Inspection | None = st.session_state.pop(_REPEATED, None)
    if repeated is not None:
        _delete_compared_file(repeated, st.session_state.get(_INSPECTION))
        repeated.discard()


def _delete_compared_file(inspection: Inspection, kept: Inspection | None = None) -> None:
    """Delete the file that an inspection compares with, unless another one does, too."""
    comparison = inspection.comparison
    if comparison is not None and (kept is None or kept.comparison is not comparison):
        comparison.delete_file()


def finish_inspection(inspection: Inspection) -> None:
    """Keep the result of an inspection that has ended, or offer a new upload if it failed.

    If it failed with stored settings, which may not fit this file, detect them instead.
    """
    if inspection.tables_to_choose() or inspection.has_results_to_import():
        return
    try:
        st.session_state[_RESULT] = inspection.load_result()
    except FileLimitError as error:
        show_refusal(error)
    except LavenderTownError as error:
        if inspection.remembered == DETECT:
            show_refusal(error)
            return
        reading_panel.show_fallback(error)
        detecting = inspections.start_inspection(inspection.upload, keeps_upload=True)
        st.session_state[_INSPECTION] = inspection.replaced_by(detecting)


def finish_repeating(repeated: Inspection) -> None:
    """Replace the result by that of the repeated inspection; if that failed, the panel says why."""
    del st.session_state[_REPEATED]
    current: Inspection = st.session_state[_INSPECTION]
    try:
        result = repeated.load_result()
    except LavenderTownError as error:
        _delete_compared_file(repeated, current)
        repeated.discard()
        is_other = repeated.comparison is not current.comparison
        (compare_with if is_other else reading_panel).show_problem(error)
        return
    _delete_compared_file(current, repeated)
    st.session_state[_INSPECTION] = current.replaced_by(repeated)
    st.session_state[_RESULT] = result


def show_refusal(error: LavenderTownError, *, about_source: bool = False) -> None:
    """Offer to inspect other data; the reason stays until then, or until the user leaves."""
    inspection: Inspection | None = st.session_state.get(_INSPECTION)
    if inspection is not None:
        about_source = isinstance(inspection.upload, ConfiguredSource)
    start_over()
    st.session_state[_REFUSAL] = (error, about_source)
