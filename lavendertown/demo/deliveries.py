"""The tables cut into weekly deliveries, as a team receives them."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from lavendertown.demo import sources

DATASETS = ("movies", "passengers", "penguins")


@dataclass(frozen=True)
class Delivery:
    """One week's part of one table.

    Attributes:
        id: The report's id, the same in every run: dataset and number, the oldest being 01.
        dataset: One of :data:`DATASETS`.
        title: For people.
        author: Who ran the checks.
        arrived: When, in UTC.
        tags: The report's own tags.
        note: What was done to this week's part on purpose; empty for most.
        frame: The rows.
        as_csv: Whether it comes as a CSV file; otherwise the frame itself does.
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

    def data(self) -> pd.DataFrame | tuple[bytes, str]:
        """Return what an inspector reads."""
        if not self.as_csv:
            return self.frame
        buffer = io.StringIO()
        self.frame.to_csv(buffer, index=False)
        return buffer.getvalue().encode("utf-8"), f"{self.dataset}-{self.arrived:%G-W%V}.csv"


@dataclass(frozen=True)
class _Feed:
    """How one table arrives."""

    dataset: str
    title: str
    weekday: int
    people: tuple[str, ...]
    tags: tuple[str, ...]
    as_csv: bool
    cut: Callable[[int, random.Random], list[tuple[pd.DataFrame, str]]]


def deliveries(reports: int, seed: int, now: dt.datetime) -> list[Delivery]:
    """Return so many deliveries, the oldest first, the newest at most a week before ``now``.

    The same arguments give the same deliveries.

    Raises:
        ImportError: The packages that carry the tables are not installed.
    """
    made: list[Delivery] = []
    for position, feed in enumerate(_FEEDS):
        weeks = (reports + len(_FEEDS) - 1 - position) // len(_FEEDS)
        made += _arrivals(feed, weeks, random.Random(f"{seed}:{feed.dataset}"), now)
    return sorted(made, key=lambda delivery: (delivery.arrived, delivery.id))


def _arrivals(feed: _Feed, weeks: int, chance: random.Random, now: dt.datetime) -> Iterator[Delivery]:
    if weeks == 0:
        return
    last = _latest(feed.weekday, now)
    for week, (frame, note) in enumerate(feed.cut(weeks, chance)):
        day = last - dt.timedelta(weeks=weeks - 1 - week)
        arrived = day + dt.timedelta(minutes=chance.randint(0, 44), seconds=chance.randint(0, 59))
        # Every fourth delivery falls to the colleague who stands in.
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


def _latest(weekday: int, now: dt.datetime) -> dt.datetime:
    """Return the latest such weekday, 07:30 UTC, whose first hour is over."""
    day = now.replace(hour=7, minute=30, second=0, microsecond=0)
    day -= dt.timedelta(days=(day.weekday() - weekday) % 7)
    return day if now - day >= dt.timedelta(hours=1) else day - dt.timedelta(weeks=1)


def _in_order(frame: pd.DataFrame, weeks: int) -> list[tuple[pd.DataFrame, str]]:
    bounds = [len(frame) * week // weeks for week in range(weeks + 1)]
    return [(frame.iloc[bounds[week] : bounds[week + 1]], "") for week in range(weeks)]


def _cut_movies(weeks: int, chance: random.Random) -> list[tuple[pd.DataFrame, str]]:
    # Its one date is later than the earlier deliveries.
    table = sources.movies().drop(columns="lastUpdated")
    order = list(range(len(table)))
    chance.shuffle(order)
    parts = [part for part, _ in _in_order(table.iloc[order], weeks)]
    notes = [""] * weeks
    if weeks >= 6:
        _hold_back(parts, notes, (weeks - 5, weeks - 4))
    return [(part.reset_index(drop=True), note) for part, note in zip(parts, notes, strict=True)]


def _hold_back(parts: list[pd.DataFrame], notes: list[str], held: Sequence[int]) -> None:
    """Move the rows without a runtime out of some deliveries into the one that follows them."""
    late = [parts[week][parts[week]["Runtime"].isna()] for week in held]
    after = held[-1] + 1
    for week in held:
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
        lambda weeks, _: _in_order(sources.passengers(), weeks),
    ),
    _Feed(
        "penguins",
        "Penguin field records",
        3,
        ("Mara Lindqvist", "Jonas Weber"),
        ("weekly", "field"),
        True,
        lambda weeks, _: _in_order(sources.penguins(), weeks),
    ),
)
