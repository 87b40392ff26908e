"""Load the public tables of the demo from two small packages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

NOT_INSTALLED = "The demo data is not installed. Install it with: pip install lavendertown[demo]"
_PACKAGES = ("bokeh_sampledata", "palmerpenguins")


def is_available() -> bool:
    """Return whether the packages with the demo's tables are installed."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def load_sample_table() -> tuple[str, pd.DataFrame]:
    """Return the name and rows of a real table to try the checks on: 17,472 films, with missing values.

    Raises:
        ImportError: The package with the table is not installed.
    """
    return "movies", load_movies()


def load_movies() -> pd.DataFrame:
    """Return the film catalogue, with the types of its database."""
    path = _package_file("bokeh_sampledata", "_data", "movies.db")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return pd.read_sql("SELECT * FROM omdb ORDER BY ID", connection)


def load_passengers() -> pd.DataFrame:
    """Return the passenger list of the Titanic, with every cell as text."""
    return _read_text_table(_package_file("bokeh_sampledata", "_data", "titanic_all.csv"))


def load_penguins() -> pd.DataFrame:
    """Return the raw records of 344 nesting penguins, with every cell as text."""
    return _read_text_table(_package_file("palmerpenguins", "data", "penguins-raw.csv"))


def _read_text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _package_file(package: str, *parts: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(NOT_INSTALLED)
    path = Path(spec.submodule_search_locations[0], *parts)
    if not path.is_file():
        raise ImportError(
            f"The installed package {package} does not contain {parts[-1]}. {NOT_INSTALLED.split('. ')[1]}"
        )
    return path
