"""Real, dirty tables: what is found there was looked at, and each finding is one a team would want."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import bokeh_sampledata
import palmerpenguins
import pandas as pd
import pytest

from lavendertown.inspector import Inspector

BOKEH = Path(bokeh_sampledata.__file__).parent / "_data"
PENGUINS = Path(palmerpenguins.__file__).parent / "data" / "penguins-raw.csv"


def found(data: object) -> dict[tuple[str, str], int]:
    return {(f.column, f.ghost_type): f.metadata["count"] for f in Inspector(data).detect()}


@pytest.fixture(scope="module")
def movies() -> pd.DataFrame:
    with sqlite3.connect(BOKEH / "movies.db") as connection:
        return pd.read_sql("select * from omdb", connection)


def test_movies(movies: pd.DataFrame) -> None:
    findings = found(movies)
    assert findings[("imdbRating", "null")] == len(movies)
    assert findings[("Cast", "disguised_null")] == (movies["Cast"] == "").sum()
    assert findings[("Released", "type")] == len(movies)
    assert findings[("lastUpdated", "constant")] == len(movies)
    assert 0 < findings[("Runtime", "outlier")] < 0.01 * len(movies)


def test_movies_are_free_of_noise(movies: pd.DataFrame) -> None:
    findings = found(movies)
    assert not {"ID", "imdbID", "Year"} & {column for column, _ in findings}
    assert ("Title", "disguised_null") not in findings
    assert ("Title", "type") not in findings


def test_the_passenger_list_lacks_ages_and_has_stray_blanks_and_the_class_of_nobody() -> None:
    findings = found(BOKEH / "titanic_all.csv")
    assert findings == {("age", "null"): 557, ("name", "format"): 5, ("class", "format"): 1}


def test_airports_and_elements_have_no_placeholders() -> None:
    tables = [BOKEH / "airports.csv", BOKEH / "elements.csv"]
    assert not any(
        f.metadata["check"] == "placeholders" for table in tables for f in Inspector(table).detect()
    )


def test_penguins_say_na() -> None:
    findings = found(PENGUINS)
    assert findings[("Comments", "disguised_null")] == 290
    assert findings[("Sex", "disguised_null")] == 11
    assert findings[("Region", "constant")] == 344
    assert {kind for _, kind in findings} == {"disguised_null", "constant"}
