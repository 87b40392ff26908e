"""Export a bundle from one store and import it into another."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.transfer.bundles.importing import BundlePreview, import_bundle, preview_bundle
from lavendertown.transfer.bundles.reading import Bundle, open_bundle
from lavendertown.transfer.bundles.writing import export_bundle

BACKENDS = ("file", "sqlite", "postgres")
EACH = [pytest.param(a, marks=[pytest.mark.postgres] if a == "postgres" else [], id=a) for a in BACKENDS]
Open = Callable[[str, str], Storage]


def bundle_of(storage: Storage, *report_ids: str) -> Bundle:
    return open_bundle(io.BytesIO(export_bundle(storage.store, report_ids)), "week.bundle.zip")


def exchange(source: Storage, target: Storage, *report_ids: str) -> BundlePreview:
    """Import the reports of one store into another, having previewed them."""
    bundle = bundle_of(source, *report_ids)
    preview = preview_bundle(target, bundle)
    assert import_bundle(target, bundle, actor="Zoe") == preview
    return preview


def counts(preview: BundlePreview) -> dict[str, dict[str, int]]:
    """Return the counts that are not zero."""
    found = {kind: {str(s): n for s, n in each.items() if n} for kind, each in preview.counts.items()}
    return {kind: each for kind, each in found.items() if each}
