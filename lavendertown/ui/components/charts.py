"""Small plotly charts, as plain dictionaries: a Figure object costs ten times as much to build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from lavendertown.ui.components import words

Figure = dict[str, Any]
Row = Mapping[str, Any]

_INK = {
    "light": {
        "error": "#C43D55",
        "warning": "#D98A2B",
        "info": "#6F93D6",
        "strong": "#7B61C9",
        "soft": "#DACEF2",
        "grid": "#ECE8F3",
        "text": "#5F5872",
    },
    "dark": {
        "error": "#F07A8E",
        "warning": "#EBA04F",
        "info": "#7C9DE0",
        "strong": "#A58BEE",
        "soft": "#423368",
        "grid": "#2A2538",
        "text": "#B3ABC6",
    },
}
MOST_COLUMNS = 12


def ink() -> dict[str, str]:
    """Return the chart colours of the theme in use."""
    return _INK["dark" if st.context.theme.type == "dark" else "light"]


def draw(figure: Figure, key: str, alt: str) -> None:
    """Show a chart with the words that stand for it."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def axis(**more: Any) -> dict[str, Any]:
    """Return an axis in the colours of the theme; keywords replace its parts."""
    colours = ink()
    base = {
        "gridcolor": colours["grid"],
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"color": colours["text"], "size": 12},
    }
    return {**base, **more}


def figure(
    data: list[dict[str, Any]],
    height: int,
    x: dict[str, Any],
    y: dict[str, Any],
    legend: bool = True,
) -> Figure:
    """Return a chart of these traces and axes, so many pixels high."""
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 28 if legend else 6, "b": 0},
        "bargap": 0.34,
        "barmode": "stack",
        "showlegend": legend,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": ink()["text"]},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "xaxis": x,
        "yaxis": y,
    }
    return {"data": data, "layout": layout}


def findings_per_week(weeks: Sequence[tuple[str, int, int]]) -> Figure:
    """Stack errors and other findings for each (label, errors, others), oldest first."""
    colours = ink()
    labels = [label for label, _, _ in weeks]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": labels,
            "y": [week[place] for week in weeks],
            "marker": {"color": colours[colour]},
            "hovertemplate": "%{x}: %{y:,}<extra>" + name + "</extra>",
        }
        for name, place, colour in (("Errors", 1, "error"), ("Other", 2, "soft"))
    ]
    return figure(data, 170, axis(type="category", nticks=4, tickangle=0, showgrid=False), axis(nticks=4))


def columns_by_gravity(findings: Iterable[Row]) -> list[str]:
    """Return the columns that have findings, the gravest first, at most twelve."""
    grave: dict[str, list[int]] = {}
    for row in findings:
        counts = grave.setdefault(row["column"], [0, 0, 0])
        counts[list(words.SEVERITIES).index(row["severity"])] += 1
    order = sorted(grave, key=lambda column: ([-n for n in grave[column]], column))
    return order[:MOST_COLUMNS]


def _names(columns: Sequence[str]) -> list[str]:
    return ["whole row" if column == "*" else short(column, 22) for column in columns]


def short(text: str, most: int) -> str:
    """Cut a text that is longer than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def by_name(columns: Sequence[str]) -> dict[str, Any]:
    """Return an upright axis with a name a bar, the first on top."""
    # Positions, not names: two long names may be cut to the same text.
    return axis(
        tickmode="array",
        tickvals=list(range(len(columns))),
        ticktext=_names(columns),
        range=[len(columns) - 0.5, -0.5],
        ticklabelstandoff=6,
        showgrid=False,
    )


def _height(columns: Sequence[str]) -> int:
    return 66 + 22 * max(3, len(columns))


def severity_by_column(findings: Sequence[Row], columns: Sequence[str]) -> Figure:
    """Stack the number of findings by severity, one bar a column."""
    colours = ink()
    place = {column: index for index, column in enumerate(columns)}
    data = []
    totals = [0] * len(columns)
    for severity, (_, _, name) in words.SEVERITIES.items():
        counts = [0] * len(columns)
        for row in findings:
            if row["severity"] == severity and row["column"] in place:
                counts[place[row["column"]]] += 1
                totals[place[row["column"]]] += 1
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": list(range(len(columns))),
                "x": counts,
                "customdata": list(columns),
                "marker": {"color": colours[severity]},
                "hovertemplate": "%{customdata}: %{x}<extra>" + name + "</extra>",
            }
        )
    step = 1 if max(totals, default=0) < 8 else None
    return figure(data, _height(columns), axis(dtick=step, rangemode="tozero"), by_name(columns))


def share_by_column(columns: Sequence[str], now: Mapping[str, float], before: Mapping[str, float]) -> Figure:
    """Draw the largest share of affected rows a column, with a tick where it was a run before."""
    colours = ink()
    places = list(range(len(columns)))
    shares = [now.get(column, 0.0) * 100 for column in columns]
    old = [before[column] * 100 if column in before else None for column in columns]
    ends = [max(share, was or 0.0) for share, was in zip(shares, old, strict=True)]
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": "Now",
            "y": places,
            "x": shares,
            "customdata": list(columns),
            "marker": {"color": colours["strong"]},
            "hovertemplate": "%{customdata}: %{x:.2f} %<extra>now</extra>",
        },
        {
            "type": "scatter",
            "mode": "text",
            "y": places,
            "x": ends,
            "text": [f"  {words.percent(now[c]) if c in now else 'unknown'}" for c in columns],
            "textposition": "middle right",
            "textfont": {"color": colours["text"], "size": 12},
            "cliponaxis": False,
            "showlegend": False,
            "hoverinfo": "skip",
        },
    ]
    if before:
        data.append(_ticks(places, old, colours["text"]))
    top = max(ends, default=0) or 1
    shares_axis = axis(ticksuffix=" %", range=[0, top * 1.2], nticks=6)
    return figure(data, _height(columns), shares_axis, by_name(columns), legend=bool(before))


def _ticks(places: list[int], old: list[float | None], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Before",
        "y": places,
        "x": old,
        "marker": {"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": colour}},
        "hovertemplate": "%{x:.2f} %<extra>before</extra>",
    }


def run_history(labels: Sequence[str], counts: Sequence[int]) -> Figure:
    """Draw the affected rows of a finding's latest runs, the last one in full colour."""
    colours = ink()
    marks = [colours["soft"]] * (len(counts) - 1) + [colours["strong"]]
    bars = {
        "type": "bar",
        "x": list(range(len(counts))),
        "y": list(counts),
        "customdata": list(labels),
        "marker": {"color": marks},
        "hovertemplate": "%{customdata}: %{y:,} rows<extra></extra>",
    }
    step = max(1, -(-len(labels) // 4))
    shown = list(range(len(labels) - 1, -1, -step))[::-1]
    x = axis(
        tickmode="array",
        tickvals=shown,
        ticktext=[labels[i] for i in shown],
        tickangle=0,
        showgrid=False,
        range=[-0.6, max(len(labels), 5) - 0.4],
    )
    return figure([bars], 150, x, axis(nticks=3, tickformat="~s", rangemode="tozero"), legend=False)


def parts(labels: Sequence[str], counts: Sequence[int], severity: str) -> Figure:
    """Draw how often each value occurs, the most frequent on top."""
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(labels))),
        "x": list(counts),
        "customdata": list(labels),
        "marker": {"color": ink()[severity]},
        "hovertemplate": "%{customdata}: %{x:,}<extra></extra>",
    }
    return figure([bars], 30 + 22 * max(2, len(labels)), axis(nticks=4), by_name(labels), legend=False)
