"""Split the demo tables into weekly deliveries."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from lavendertown.demo import public_tables

DATASETS = ("movies", "passengers", "penguins")


@dataclass(frozen=True)
class Delivery:
    """The rows of a table that arrive in one week.

    Attributes:
        id: The report's id, the same in every run: dataset and number, from 01 for the oldest.
        dataset: One of :data:`DATASETS`.
        title: The report's title.
        author: Who ran the checks.
        arrived: The time of arrival, in UTC.
        tags: The report's tags.
        note: What was changed in this delivery on purpose; empty for most.
        frame: The rows.
        as_csv: Whether the inspector gets a CSV file instead of the frame.
    """

    id: str
    dataset: str
    title: str
    author: str
    arrived: dt.datetime
    tags: tuple[str, ...]
    note: str
    frame: pd.DataFrame
    as_csv: bool

    def to_inspector_input(self) -> pd.DataFrame | tuple[bytes, str]:
        """Return the input for an inspector."""
        if not self.as_csv:
            return self.frame
        buffer = io.StringIO()
        self.frame.to_csv(buffer, index=False)
        return buffer.getvalue().encode("utf-8"), f"{self.dataset}-{self.arrived:%G-W%V}.csv"


@dataclass(frozen=True)
class _Feed:
    """The schedule of the deliveries of a table."""

    dataset: str
    title: str
    weekday: int
    people: tuple[str, ...]
    tags: tuple[str, ...]
    as_csv: bool
    cut: Callable[[int, random.Random], list[tuple[pd.DataFrame, str]]]


def make_deliveries(reports: int, seed: int, now: dt.datetime) -> list[Delivery]:
    """Return ``reports`` deliveries, oldest first; the newest arrived in the week before ``now``.

    The result depends on the arguments only.

    Raises:
        ImportError: The packages with the tables are not installed.
    """
    deliveries: list[Delivery] = []
    for position, feed in enumerate(_FEEDS):
        weeks = (reports + len(_FEEDS) - 1 - position) // len(_FEEDS)
        deliveries += _schedule_deliveries(feed, weeks, random.Random(f"{seed}:{feed.dataset}"), now)
    return sorted(deliveries, key=lambda delivery: (delivery.arrived, delivery.id))


def _schedule_deliveries(feed: _Feed, weeks: int, rng: random.Random, now: dt.datetime) -> Iterator[Delivery]:
    if weeks == 0:
        return
    last = _latest_weekday(feed.weekday, now)
    for week, (frame, note) in enumerate(feed.cut(weeks, rng)):
        day = last - dt.timedelta(weeks=weeks - 1 - week)
        arrived = day + dt.timedelta(minutes=rng.randint(0, 44), seconds=rng.randint(0, 59))
        # A deputy checks every fourth delivery.
        author = feed.people[1 if week % 4 == 2 else 0]
        yield Delivery(
            id=f"demo-{feed.dataset}-{week + 1:02}",
            dataset=feed.dataset,
            title=f"{feed.title}, week {arrived:%V}",
            author=author,
            arrived=arrived,
            tags=feed.tags,
            note=note,
            frame=frame,
            as_csv=feed.as_csv,
        )


def _latest_weekday(weekday: int, now: dt.datetime) -> dt.datetime:
    """Return the latest given weekday at 07:30 UTC that is at least an hour ago."""
    day = now.replace(hour=7, minute=30, second=0, microsecond=0)
    day -= dt.timedelta(days=(day.weekday() - weekday) % 7)
    return day if now - day >= dt.timedelta(hours=1) else day - dt.timedelta(weeks=1)


def _split_in_order(frame: pd.DataFrame, weeks: int) -> list[tuple[pd.DataFrame, str]]:
    bounds = [len(frame) * week // weeks for week in range(weeks + 1)]
    return [(frame.iloc[bounds[week] : bounds[week + 1]], "") for week in range(weeks)]


def _cut_movies(weeks: int, rng: random.Random) -> list[tuple[pd.DataFrame, str]]:
    # The date in lastUpdated, the same in all rows, is later than most deliveries.
    table = public_tables.load_movies().drop(columns="lastUpdated")
    order = list(range(len(table)))
    rng.shuffle(order)
    parts = [part for part, _ in _split_in_order(table.iloc[order], weeks)]
    notes = [""] * weeks
    if weeks >= 6:
        _hold_back_missing_runtimes(parts, notes, (weeks - 5, weeks - 4))
    return [(part.reset_index(drop=True), note) for part, note in zip(parts, notes, strict=True)]


def _hold_back_missing_runtimes(parts: list[pd.DataFrame], notes: list[str], weeks: Sequence[int]) -> None:
    """Move the rows without a runtime from the deliveries of some weeks to the following delivery."""
    late = [parts[week][parts[week]["Runtime"].isna()] for week in weeks]
    after = weeks[-1] + 1
    for week in weeks:
        parts[week] = parts[week][parts[week]["Runtime"].notna()]
        notes[week] = "Demo data: the titles without a runtime are held back on purpose and come later."
    parts[after] = pd.concat([parts[after], *late])
    moved = sum(len(part) for part in late)
    notes[after] = f"Demo data: {moved} titles without a runtime, held back on purpose, come with this one."


_FEEDS = (
    _Feed(
        "movies",
        "Movie catalogue",
        0,
        ("Ines Okafor", "Tomás Rey"),
        ("weekly", "supplier"),
        False,
        _cut_movies,
    ),
    _Feed(
        "passengers",
        "Passenger list",
        1,
        ("Jonas Weber", "Ines Okafor"),
        ("weekly", "archive"),
        True,
        lambda weeks, _: _split_in_order(public_tables.load_passengers(), weeks),
    ),
    _Feed(
        "penguins",
        "Penguin field records",
        3,
        ("Mara Lindqvist", "Jonas Weber"),
        ("weekly", "field"),
        True,
        lambda weeks, _: _split_in_order(public_tables.load_penguins(), weeks),
    ),
)
