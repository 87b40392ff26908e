"""Draw the columns of a dataset over its runs: medians with quantiles, and shares of missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import streamlit as st

from lavendertown.tables.inference.column_names import is_calendar, is_identifier
from lavendertown.ui import queries
from lavendertown.ui.components.shared import charts, layout
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_day,
    format_percent,
    reader_time_zone,
)
from lavendertown.ui.components.trends.trend_steps import TimeStep

MAX_NUMBERS = 5
MAX_MISSING = 4
_HEIGHT = 176
_COLOURS = ("strong", "warning", "info", "error")
_LOW, _LOWER, _MEDIAN, _UPPER, _HIGH = range(5)


def draw_columns(dataset: str, steps: Sequence[TimeStep]) -> None:
    """Draw the columns that moved most in a period; a point opens the report of its run.

    Args:
        dataset: The dataset.
        steps: The steps of the period.
    """
    runs = queries.list_profiles(dataset, steps[0].start, steps[-1].end)
    if len(runs) < 2:
        st.caption("Columns over time appear after two runs with evidence in this period.")
        return
    numbers = _order_by_movement(runs)
    missing = _columns_with_missing(runs)
    more = f", the {MAX_NUMBERS} of {len(numbers):,} that moved most" if len(numbers) > MAX_NUMBERS else ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**Columns over time** :small[:gray[{escape_markdown(dataset)}{more}]]", width="content")
        choice = st.menu_button(
            "Reports",
            list(reversed(runs)),
            format_func=lambda run: (
                f"{format_day(run['created_at'])}: {escape_markdown(run['title']) or 'Untitled'}"
            ),
            type="tertiary",
            icon=":material/description:",
            key="trends:columns:reports",
        )
        if choice is not None:
            _open_report(str(choice["report_id"]))
    with st.grid(3, min_column_width=260, gap="small"):
        if missing:
            with st.container(border=True, gap="xsmall"):
                st.markdown("**Missing values** :small[:gray[share of rows]]")
                alt = "Missing values over time: " + "; ".join(
                    f"{name} {_describe_missing(runs, name)}" for name in missing
                )
                _draw_clickable(_missing_chart(runs, missing), "missing", alt)
        for name in numbers[:MAX_NUMBERS]:
            with st.container(border=True, gap="xsmall"):
                change = _describe_median(runs, name)
                st.markdown(f"**{escape_markdown(name)}** :small[:gray[median {change}]]")
                _draw_clickable(_quantile_chart(runs, name), f"numbers:{name}", f"Median of {name}: {change}")
    if numbers:
        st.caption(
            "Line: median. Bands: the middle 50% and 90% of the values. Click a point to open its report."
        )


def _quantiles(run: queries.Row, name: str) -> list[float]:
    quantiles: list[float] = run["columns"].get(name, {}).get("quantiles", [])
    return quantiles


def _order_by_movement(runs: Sequence[queries.Row]) -> list[str]:
    """Return the columns of quantities that have two or more medians, the one that moved most first."""
    names = dict.fromkeys(name for run in runs for name in run["columns"])
    moved = {}
    for name in names:
        known = [found for run in runs if (found := _quantiles(run, name))]
        if len(known) >= 2 and not is_identifier(name) and not is_calendar(name):
            medians = [each[_MEDIAN] for each in known]
            spread = max(each[_HIGH] - each[_LOW] for each in known)
            moved[name] = (max(medians) - min(medians)) / spread if spread else 0.0
    return sorted(moved, key=lambda name: -moved[name])


def _columns_with_missing(runs: Sequence[queries.Row]) -> list[str]:
    """Return the columns with missing values, those whose share changed most first."""
    shares: dict[str, list[float]] = {}
    for run in runs:
        for name, column in run["columns"].items():
            shares.setdefault(name, []).append(column["missing"])
    some = [name for name in shares if max(shares[name])]
    return sorted(some, key=lambda name: (min(shares[name]) - max(shares[name]), name))[:MAX_MISSING]


def _quantile_chart(runs: Sequence[queries.Row], name: str) -> charts.Figure:
    known = [run for run in runs if _quantiles(run, name)]
    colours = charts.theme_colors()
    traces: list[dict[str, Any]] = []
    for low, high, opacity in ((_LOW, _HIGH, 0.35), (_LOWER, _UPPER, 0.8)):
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append(_trace(known, [_quantiles(run, name)[low] for run in known]) | edge)
        filled = {"fill": "tonexty", "fillcolor": _fade(colours["soft"], opacity)}
        traces.append(_trace(known, [_quantiles(run, name)[high] for run in known]) | edge | filled)
    medians = [_quantiles(run, name)[_MEDIAN] for run in known]
    line = {
        "line": {"color": colours["strong"], "width": 2},
        "marker": {"color": colours["strong"], "size": 7},
        "hovertemplate": "%{customdata[1]}: median %{y:,.4~g}<extra></extra>",
    }
    traces.append(_trace(known, medians) | line)
    return _chart(traces, charts.axis_layout(nticks=4, tickformat="~s"), legend=False)


def _missing_chart(runs: Sequence[queries.Row], names: Sequence[str]) -> charts.Figure:
    colours = charts.theme_colors()
    traces = []
    for name, colour in zip(names, _COLOURS, strict=False):
        known = [run for run in runs if name in run["columns"]]
        line = {
            "name": charts.escape_label(charts.shorten_label(name, 16)),
            "line": {"color": colours[colour], "width": 2},
            "marker": {"color": colours[colour], "size": 7},
            "hovertemplate": "%{customdata[1]}: %{y:.1f}%<extra>%{fullData.name}</extra>",
        }
        traces.append(_trace(known, [100 * run["columns"][name]["missing"] for run in known]) | line)
    return _chart(traces, charts.axis_layout(nticks=4, ticksuffix="%", rangemode="tozero"), legend=True)


def _trace(runs: Sequence[queries.Row], values: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [f"{run['created_at'].astimezone(reader_time_zone()):%Y-%m-%d %H:%M}" for run in runs],
        "y": list(values),
        "customdata": [[run["report_id"], format_day(run["created_at"])] for run in runs],
        # Otherwise the points that are not clicked would fade.
        "unselected": {"marker": {"opacity": 1}},
    }


def _chart(traces: list[dict[str, Any]], y: dict[str, Any], *, legend: bool) -> charts.Figure:
    x = charts.axis_layout(type="date", nticks=4, tickangle=0, showgrid=False, tickformat=charts.DAY_TICKS)
    figure = charts.chart_layout(traces, _HEIGHT, x, y, legend)
    figure["layout"] |= {"clickmode": "event+select", "dragmode": False}
    return figure


def _fade(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _describe_median(runs: Sequence[queries.Row], name: str) -> str:
    known = [found[_MEDIAN] for run in runs if (found := _quantiles(run, name))]
    return f"{charts.format_edge(known[-1])}, was {charts.format_edge(known[0])}"


def _describe_missing(runs: Sequence[queries.Row], name: str) -> str:
    known = [run["columns"][name]["missing"] for run in runs if name in run["columns"]]
    return f"{format_percent(known[-1])}, was {format_percent(known[0])}"


def _draw_clickable(figure: charts.Figure, key: str, alt: str) -> None:
    report_id = charts.draw_clickable_chart(figure, f"trends:columns:{key}", alt)
    if report_id is not None:
        _open_report(report_id)


def _open_report(report_id: str) -> NoReturn:
    layout.go_to(layout.REPORT, report=report_id)
