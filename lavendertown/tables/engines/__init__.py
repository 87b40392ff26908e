"""Tables whose data stays in an engine: DuckDB, Dask or PySpark."""

from __future__ import annotations
