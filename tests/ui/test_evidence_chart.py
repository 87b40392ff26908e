"""The chart that explains a finding: what it shows, and which of it is affected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from lavendertown.interchange.exports import html_charts
from lavendertown.interchange.exports.content import ExportedFinding
from lavendertown.profile.evidence import ColumnProfile, FindingSamples, Histogram, ValueCount
from lavendertown.profile.finding_charts import choose_chart
from lavendertown.ui.components.finding.evidence_chart import make_figure
from lavendertown.ui.components.shared.charts import run_history, theme_colors

Chart: TypeAlias = Callable[..., "Drawn | None"]
AGES = ColumnProfile("age", "number", 100, 0, 40, -1, 99, [], Histogram(-1.0, 99.0, [6, 0, 50, 44]))


@dataclass(frozen=True)
class Drawn:
    figure: dict[str, Any]
    alt: str
    caption: str
    warning: str


def draw_in_dashboard(finding: ExportedFinding) -> Drawn | None:
    chosen = choose_chart(
        finding.profile,
        finding.samples,
        finding.ghost_type,
        finding.row_count,
        finding.metadata,
        finding.first_row,
    )
    if chosen is None:
        return None
    figure, alt = make_figure(chosen, finding.severity)
    return Drawn(figure, alt, chosen.caption, theme_colors()["warning"])


def draw_in_exported_page(finding: ExportedFinding) -> Drawn | None:
    made = html_charts.explain_finding(finding)
    return Drawn(*made, html_charts.COLORS["warning"]) if made else None


@pytest.fixture(params=[draw_in_dashboard, draw_in_exported_page], ids=["dashboard", "exported page"])
def chart(request: pytest.FixtureRequest) -> Chart:
    """Draw the chart of a finding."""

    def draw(profile: ColumnProfile | None, *frequent: tuple[str, int], **values: Any) -> Drawn | None:
        counted = [ValueCount(*each) for each in frequent]
        samples = FindingSamples("column", [], counted, values.pop("rows_by_part", []))
        given = {"row_count": 6, "ghost_type": "x", "metadata": {}, **values}
        finding = ExportedFinding(
            "f", "r", "orders", column="age", severity="warning", description="", share=None, status="open",
            samples=samples, profile=profile, **given,
        )  # fmt: skip
        drawn: Drawn | None = request.param(finding)
        return drawn

    return draw


def bars(made: Drawn | None) -> list[list[int]]:
    assert made is not None
    return [[*trace["y"]] for trace in made.figure["data"]]


def labelled(made: Drawn | None) -> list[tuple[str, int, bool]]:
    """Return the label and the count of each bar, and whether it has the colour of a warning."""
    assert made is not None
    (trace,) = made.figure["data"]
    marked = [colour == made.warning for colour in trace["marker"]["color"]]
    return list(zip(trace["customdata"], trace["x"], marked, strict=True))


def test_missing_values_are_shown_along_the_rows(chart: Chart) -> None:
    profile = ColumnProfile("age", "time", 100, 6, 40)
    made = chart(profile, rows_by_part=[0] * 32 + [3, 3], ghost_type="null", first_row=2)
    assert made is not None
    assert made.caption == "Missing values along the rows"
    # The last part of the table has one row.
    assert bars(made) == [[3] * 32 + [0, 0], [0] * 32 + [3, 1]]
    assert made.alt == "4 missing values of age in rows 2 to 104, at most 3 of 3 rows, from row 98"


@pytest.mark.parametrize(
    ("count", "rows_by_part"),
    [(100, []), (100, [6]), (19, [1] * 19)],
    ids=["stored before", "of another table", "small table"],
)
def test_without_places_missing_cells_are_counted(chart: Chart, count: int, rows_by_part: list[int]) -> None:
    made = chart(ColumnProfile("age", "number", count, 6, 4), rows_by_part=rows_by_part, ghost_type="null")
    assert labelled(made) == [("missing", 6, True), ("present", count - 6, False)]


def test_affected_values_are_marked_in_the_distribution(chart: Chart) -> None:
    made = chart(AGES, ("-1", 6))
    assert bars(made) == [[0, 0, 50, 44], [6, 0, 0, 0]]
    assert made is not None
    assert made.alt == "Distribution of age from -1 to 99, 6 of them affected"


def test_affected_values_with_a_decimal_comma_are_marked_too(chart: Chart) -> None:
    assert bars(chart(AGES, ("-1,00", 6))) == [[0, 0, 50, 44], [6, 0, 0, 0]]
    assert bars(chart(AGES, ("51,000", 6))) == [[6, 0, 50, 44]]


def test_nothing_is_marked_if_not_all_affected_values_are_known(chart: Chart) -> None:
    assert bars(chart(AGES, ("-1", 3))) == [[6, 0, 50, 44]]
    assert bars(chart(AGES, ("no number", 6))) == [[6, 0, 50, 44]]


def test_values_that_are_few_of_the_affected_ones_give_way_to_the_distribution(chart: Chart) -> None:
    made = chart(AGES, ("51.2", 2), ("60.5", 2), row_count=90)
    assert made is not None
    assert made.caption == "Distribution of the column"
    made = chart(AGES, ("51.2", 2), ("60.5", 2), row_count=5)
    assert labelled(made) == [("51.2", 2, True), ("60.5", 2, True)]


def test_missing_cells_stand_next_to_present_ones(chart: Chart) -> None:
    paid = ColumnProfile("paid", "number", 100, 6, 40, 1, 9, [], Histogram(1.0, 9.0, [50, 44]))
    assert labelled(chart(paid, ghost_type="null")) == [("missing", 6, True), ("present", 94, False)]
    empty = ColumnProfile("paid", "text", 100, 100, 0)
    assert chart(empty, ghost_type="null") is None


def test_spellings_stand_below_the_usual_one(chart: Chart) -> None:
    top = [
        ValueCount("Sales", 60),
        ValueCount("Support", 34),
        ValueCount("SALES", 4),
        ValueCount("Suport", 2),
    ]
    profile = ColumnProfile("department", "text", 100, 0, 4, top=top)
    metadata = {"spellings": {"SALES": "Sales", "Suport": "Support"}}
    assert labelled(chart(profile, ("SALES", 4), ("Suport", 2), metadata=metadata)) == [
        ("Sales", 60, False),
        ("SALES", 4, True),
        ("Support", 34, False),
        ("Suport", 2, True),
    ]
    made = chart(profile, ("SALES", 4), ("Suport", 2), metadata={"spellings": "of another tool"})
    assert made is not None
    assert made.caption == "Most frequent affected values"


def test_affected_values_are_marked_among_the_frequent_ones_of_the_column(chart: Chart) -> None:
    profile = ColumnProfile("sku", "text", 20, 0, 4, top=[ValueCount("4E+12", 6), ValueCount("400638", 2)])
    assert labelled(chart(profile, ("4E+12", 6))) == [("4E+12", 6, True), ("400638", 2, False)]
    # Of a repeated value, only some rows are affected.
    assert labelled(chart(profile, ("4E+12", 1))) == [("4E+12", 6, False), ("400638", 2, False)]


@pytest.mark.parametrize(("counts", "step"), [([1, 1], 1), ([0, 2], 1), ([5, 300], None)])
def test_the_history_of_few_rows_has_no_ticks_between_whole_numbers(
    counts: list[int], step: int | None
) -> None:
    axis = run_history(["30 Nov"] * len(counts), counts)["layout"]["yaxis"]
    assert axis.get("dtick") == step
