"""Tests on Dask and a local Spark, which ``make test-engines`` installs."""

from __future__ import annotations

import os

if not os.environ.get("LAVENDERTOWN_TEST_ENGINES"):
    collect_ignore_glob = ["test_*.py"]
