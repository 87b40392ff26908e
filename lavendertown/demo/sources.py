"""The public tables that two small packages carry."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

MISSING = "The demo data is not installed. Install it with: pip install lavendertown[demo]"
_PACKAGES = ("bokeh_sampledata", "palmerpenguins")


def available() -> bool:
    """Tell whether the packages that carry the demo's tables are installed."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def sample_table() -> tuple[str, pd.DataFrame]:
    """Return a real table to try checks on, with its name: 17,472 films and their gaps.

    Raises:
        ImportError: The package that carries it is not installed.
    """
    return "movies", movies()


def movies() -> pd.DataFrame:
    """Return the film catalogue, as the database that holds it gives it."""
    path = _file("bokeh_sampledata", "_data", "movies.db")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return pd.read_sql("SELECT * FROM omdb ORDER BY ID", connection)


def passengers() -> pd.DataFrame:
    """Return the Titanic's passenger list, every cell as the text it is in the file."""
    return _texts(_file("bokeh_sampledata", "_data", "titanic_all.csv"))


def penguins() -> pd.DataFrame:
    """Return the raw records of 344 nesting penguins, every cell as the text it is in the file."""
    return _texts(_file("palmerpenguins", "data", "penguins-raw.csv"))


def _texts(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _file(package: str, *parts: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(MISSING)
    path = Path(spec.submodule_search_locations[0], *parts)
    if not path.is_file():
        raise ImportError(f"The installed {package} does not carry {parts[-1]}. {MISSING.split('. ')[1]}")
    return path
