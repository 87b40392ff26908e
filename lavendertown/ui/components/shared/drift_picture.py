"""Draw a column before and now, from the counts that a finding of drift keeps in its metadata."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import escape_markdown, format_percent
from lavendertown.ui.components.shared.markdown import show_hidden_characters

_HISTOGRAM_HEIGHT = 170
_MAX_LABELS = 14
_TICKS = 3
_MAX_LABEL_LENGTH = 40


@dataclass(frozen=True)
class Picture:
    """A chart with its text alternative, and the name of what is compared with; empty if unknown."""

    figure: charts.Figure
    alt: str
    before: str


def make_picture(metadata: Mapping[str, Any]) -> Picture | None:
    """Return the picture of a finding; None if its metadata has none that can be drawn.

    Metadata of imported reports can have any values.
    """
    stored = metadata.get("picture")
    if not isinstance(stored, Mapping):
        return None
    before, after = _read_counts(stored.get("before")), _read_counts(stored.get("after"))
    if len(before) != len(after) or not sum(before) or not sum(after):
        return None
    compared = metadata.get("compared_to")
    name = str(compared.get("name") or "") if isinstance(compared, Mapping) else ""
    labels, start, end = stored.get("labels"), stored.get("start"), stored.get("end")
    if isinstance(labels, list) and len(labels) == len(before) <= _MAX_LABELS:
        figure, alt = _draw_bars([str(label) for label in labels], before, after)
    elif _is_number(start) and _is_number(end) and len(before) > 2:
        edges = _find_edges(float(start), float(end), len(before) - 2, stored.get("scale") == "log")  # type: ignore[arg-type]
        figure, alt = _draw_histogram(edges, before, after)
    else:
        return None
    return Picture(figure, alt, name)


def draw_picture(picture: Picture, key: str) -> None:
    """Show a picture with its heading."""
    before = f"; before: {escape_markdown(picture.before)}" if picture.before else ""
    st.markdown(f"**Before and now** :small[:gray[share of values{before}]]")
    charts.draw_chart(picture.figure, key, picture.alt)


def _read_counts(stored: object) -> list[int]:
    is_valid = isinstance(stored, list) and all(_is_number(count) and count >= 0 for count in stored)
    return list(stored) if is_valid and isinstance(stored, list) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [100 * count / total for count in counts]


def _draw_bars(
    labels: Sequence[str], before: Sequence[int], after: Sequence[int]
) -> tuple[charts.Figure, str]:
    """Draw the share of each value before and now, as two bars."""
    rows = [each for each in zip(labels, before, after, strict=True) if each[1] or each[2]]
    names = [charts.shorten_label(label, _MAX_LABEL_LENGTH) for label, _, _ in rows]
    sides = (("Before", "soft", _to_shares(before)), ("Now", "strong", _to_shares(after)))
    filled = [place for place, each in enumerate(zip(before, after, strict=True)) if any(each)]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": list(range(len(rows))),
            "x": [shares[place] for place in filled],
            "customdata": [charts.escape_label(label) for label in names],
            "marker": {"color": charts.theme_colors()[colour]},
            "hovertemplate": "%{customdata}: %{x:.2f}%<extra>" + name.lower() + "</extra>",
        }
        for name, colour, shares in sides
    ]
    height = 40 + 30 * max(2, len(rows))
    shares_axis = charts.axis_layout(ticksuffix="%", nticks=4, rangemode="tozero")
    figure = charts.chart_layout(traces, height, shares_axis, charts.name_axis(names))
    figure["layout"].update({"barmode": "group", "bargap": 0.3})
    totals = sum(before), sum(after)
    alt = "; ".join(
        f"{show_hidden_characters(label)} {format_percent(old / totals[0])} before, "
        f"{format_percent(new / totals[1])} now"
        for label, old, new in rows
    )
    return figure, f"Share of the values before and now: {alt}"


def _find_edges(start: float, end: float, bins: int, is_log: bool) -> list[str]:
    """Return the edges of the bins as text."""
    shares = [place / bins for place in range(bins + 1)]
    if is_log and 0 < start < end:
        return [charts.format_edge(start * (end / start) ** share) for share in shares]
    return [charts.format_edge(start + (end - start) * share) for share in shares]


def _draw_histogram(
    edges: Sequence[str], before: Sequence[int], after: Sequence[int]
) -> tuple[charts.Figure, str]:
    """Draw two histograms with the same bins; the first and last counts are those outside the bins."""
    bins = len(edges) - 1
    names = [
        f"below {edges[0]}",
        *(f"{low} to {high}" for low, high in itertools.pairwise(edges)),
        f"above {edges[-1]}",
    ]
    positions = [-2, *range(bins), bins + 1]
    old, new = _to_shares(before), _to_shares(after)
    colours = charts.theme_colors()
    common = {"x": positions, "customdata": names}
    traces: list[dict[str, Any]] = [
        {
            **common,
            "type": "bar",
            "name": "Before",
            "y": old,
            "marker": {"color": colours["soft"]},
            "hovertemplate": "%{customdata}: %{y:.1f}%<extra>before</extra>",
        },
        {
            **common,
            "type": "bar",
            "name": "Now",
            "y": new,
            "marker": {"color": "rgba(0,0,0,0)", "line": {"color": colours["strong"], "width": 2}},
            "hovertemplate": "%{customdata}: %{y:.1f}%<extra>now</extra>",
        },
    ]
    is_outside = [any(side[place] for side in (before, after)) for place in (0, -1)]
    ticks = [(bins * place // _TICKS - 0.5, edges[bins * place // _TICKS]) for place in range(1, _TICKS)]
    ticks.append((-2, f"&lt; {edges[0]}") if is_outside[0] else (-0.5, edges[0]))
    ticks.append((bins + 1, f"&gt; {edges[-1]}") if is_outside[1] else (bins - 0.5, edges[-1]))
    x = charts.axis_layout(
        tickmode="array",
        tickvals=[place for place, _ in sorted(ticks)],
        ticktext=[text for _, text in sorted(ticks)],
        tickangle=0,
        showgrid=False,
        range=[-3.5 if is_outside[0] else -1, bins + (2.5 if is_outside[1] else 0)],
    )
    shares_axis = charts.axis_layout(ticksuffix="%", nticks=4, rangemode="tozero")
    figure = charts.chart_layout(traces, _HISTOGRAM_HEIGHT, x, shares_axis)
    figure["layout"].update({"barmode": "overlay", "bargap": 0.05})
    highest = [names[side.index(max(side))] for side in (old, new)]
    return figure, (
        f"Distribution before and now from {edges[0]} to {edges[-1]}: "
        f"most values were {highest[0]}, and are {highest[1]}"
    )
