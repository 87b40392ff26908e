"""A picture of the tables: boxes with columns, lines for foreign keys. SVG of our own, or DOT text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database import tables
from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated

_LINE = 18
_HEAD = 26
_CHARACTER = 7.3
_GAP_X, _GAP_Y, _EDGE = 90, 26, 20
_COLUMN_HEIGHT = 1200
_STYLE = """
.paper{fill:#ffffff}.box{fill:#f8f6fc;stroke:#c9bfe0}.head{fill:#e3deed}.line{stroke:#6b4fbb;fill:none}
.dot{fill:#6b4fbb}text{fill:#191424;font:12px ui-monospace,Menlo,Consolas,monospace}
.name{font-weight:bold}.type{fill:#5d5670}
@media (prefers-color-scheme:dark){.paper{fill:#15121d}.box{fill:#1f1b2a;stroke:#4a4260}
.head{fill:#332d43}.line{stroke:#b5a1f5}.dot{fill:#b5a1f5}text{fill:#eae6f4}.type{fill:#b3abc6}}
"""


@dataclass(frozen=True)
class Column:
    """One line of a box.

    Attributes:
        key: ``"PK"``, ``"FK"``, ``"PK FK"`` or empty.
        target: The table it refers to; empty for none.
    """

    name: str
    type: str
    key: str
    nullable: bool
    target: str


@dataclass(frozen=True)
class Box:
    """One table."""

    name: str
    columns: tuple[Column, ...]

    @property
    def targets(self) -> set[str]:
        """The other tables it refers to."""
        return {column.target for column in self.columns} - {"", self.name}


def read(source: sa.MetaData | Engine | None = None) -> list[Box]:
    """Return the boxes of a diagram, by name.

    Args:
        source: Models, or a database, whose other tables (an application's) stand beside
            LavenderTown's own; None for LavenderTown's alone.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    found = {table.name: _box(table) for table in tables.metadata.tables.values()}
    others = _reflected(source) if isinstance(source, Engine) else source
    if others is not None:
        for table in others.tables.values():
            found.setdefault(table.fullname, _box(table))
    found.pop("alembic_version", None)
    return [found[name] for name in sorted(found)]


def read_database(database_url: str | URL) -> list[Box]:
    """Return the boxes of the database with this URL; changes nothing, makes no file.

    Raises:
        StorageUnavailableError: It does not answer.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    if url.get_backend_name() == "sqlite":
        from lavendertown.database.schema import State, look

        if look(url).state is State.EMPTY:
            return read()
    engine = make_engine(url)
    try:
        return read(engine)
    finally:
        engine.dispose()


def _reflected(engine: Engine) -> sa.MetaData:
    found = sa.MetaData()
    with translated(engine.url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
        found.reflect(connection)
    return found


def _box(table: sa.Table) -> Box:
    return Box(table.fullname, tuple(_column(column) for column in table.columns))


def _column(column: sa.Column[object]) -> Column:
    target = next((key.target_fullname.rpartition(".")[0] for key in column.foreign_keys), "")
    key = " ".join(word for word, is_so in (("PK", column.primary_key), ("FK", bool(target))) if is_so)
    return Column(column.name, _type(column.type), key, bool(column.nullable), target)


def _type(kind: sa.types.TypeEngine[object]) -> str:
    """Return a type's name as plainly as it can be said, whatever the database calls it."""
    if isinstance(kind, sa.TypeDecorator):
        kind = kind.impl_instance
    length = getattr(kind, "length", None)
    name = type(kind).__name__ if type(kind).__name__ == type(kind).__name__.upper() else kind.__visit_name__
    return name.lower().replace("_", " ") + (f"({length})" if length else "")


# DOT


def dot(boxes: Iterable[Box]) -> str:
    """Return the diagram as DOT, for Graphviz or whatever reads that language."""
    boxes = list(boxes)
    known = {box.name for box in boxes}
    lines = [
        "digraph tables {",
        '  graph [rankdir=RL, bgcolor="white", nodesep=0.3, ranksep=0.9];',
        '  node [shape=plain, fontname="monospace", fontsize=10, fontcolor="#191424"];',
        '  edge [color="#6b4fbb", arrowsize=0.7];',
        *(f"  {_quoted(box.name)} [label=<{_rows(box)}>];" for box in boxes),
    ]
    for box in boxes:
        for number, column in enumerate(box.columns):
            if column.target in known:
                lines.append(f"  {_quoted(box.name)}:c{number} -> {_quoted(column.target)}:head;")
    return "\n".join([*lines, "}", ""])


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rows(box: Box) -> str:
    head = f'<TR><TD PORT="head" COLSPAN="3" BGCOLOR="#e3deed"><B>{escape(box.name)}</B></TD></TR>'
    rows = "".join(
        f'<TR><TD PORT="c{number}" ALIGN="LEFT">{escape(column.name)}</TD>'
        f'<TD ALIGN="LEFT">{escape(_words(column))}</TD><TD>{column.key}</TD></TR>'
        for number, column in enumerate(box.columns)
    )
    table = '<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" COLOR="#c9bfe0" BGCOLOR="#f8f6fc">'
    return f"{table}{head}{rows}</TABLE>"


def _words(column: Column) -> str:
    return column.type + ("?" if column.nullable else "")


# SVG


@dataclass(frozen=True)
class _Place:
    """Where a box stands, in pixels."""

    x: float
    y: float
    width: float
    height: float

    def middle(self, line: int) -> float:
        """Return the height of the middle of a column's line."""
        return self.y + _HEAD + line * _LINE + _LINE / 2


def svg(boxes: Iterable[Box]) -> str:
    """Return the diagram as an SVG picture, drawn here. Light or dark as its reader's system is."""
    boxes = list(boxes)
    places = _placed(boxes)
    width = max((place.x + place.width for place in places.values()), default=200) + _EDGE
    height = max((place.y + place.height for place in places.values()), default=60) + _EDGE
    title = f"{len(boxes)} tables: " + ", ".join(box.name for box in boxes)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
            *_lines(boxes, places),
            *(_drawn(box, places[box.name]) for box in boxes),
            "</svg>",
            "",
        ]
    )


def _placed(boxes: Sequence[Box]) -> dict[str, _Place]:
    """Put tables that are referred to at the left, those that refer to them at the right."""
    places: dict[str, _Place] = {}
    x, by_rank = float(_EDGE), _ranks(boxes)
    for rank in sorted(by_rank):
        for stack in _stacks(by_rank[rank]):
            y = float(_EDGE)
            for box in stack:
                places[box.name] = _Place(x, y, _width(box), _height(box))
                y += _height(box) + _GAP_Y
            x += max(map(_width, stack)) + _GAP_X
    return places


def _ranks(boxes: Sequence[Box]) -> Mapping[int, list[Box]]:
    """Group by how far a table is from one that refers to nothing; circles end where they began."""
    by_name = {box.name: box for box in boxes}

    def rank(name: str, path: frozenset[str]) -> int:
        further = by_name[name].targets & by_name.keys() - path
        return 1 + max((rank(other, path | {other}) for other in further), default=-1)

    found: dict[int, list[Box]] = defaultdict(list)
    referred = {target for box in boxes for target in box.targets}
    for box in boxes:
        alone = not box.targets & by_name.keys() and box.name not in referred
        # Tables without any line stand behind the others.
        found[len(boxes) if alone else rank(box.name, frozenset({box.name}))].append(box)
    return found


def _stacks(boxes: Sequence[Box]) -> list[list[Box]]:
    """Divide the boxes of one rank into stacks that are not too high."""
    stacks: list[list[Box]] = [[]]
    height = 0
    for box in boxes:
        if stacks[-1] and height + _height(box) > _COLUMN_HEIGHT:
            stacks.append([])
            height = 0
        stacks[-1].append(box)
        height += _height(box) + _GAP_Y
    return stacks


def _width(box: Box) -> float:
    return max(sum(_widths(box)), len(box.name) + 2) * _CHARACTER + 16


def _widths(box: Box) -> tuple[int, int, int]:
    """Return how many characters the names, the types and the keys take, with a gap after each."""
    names, types, keys = (
        max((len(text(column)) for column in box.columns), default=0)
        for text in (lambda c: c.name, _words, lambda c: c.key)
    )
    return names + 2, types + 2, keys


def _height(box: Box) -> int:
    return _HEAD + len(box.columns) * _LINE + 6


def _drawn(box: Box, place: _Place) -> str:
    parts = [
        f'<rect class="box" x="{place.x}" y="{place.y}" width="{place.width:.1f}" height="{place.height}" '
        'rx="5"/>',
        f'<rect class="head" x="{place.x}" y="{place.y}" width="{place.width:.1f}" height="{_HEAD}" rx="5"/>',
        f'<text class="name" x="{place.x + 8}" y="{place.y + 17}">{escape(box.name)}</text>',
    ]
    names = _widths(box)[0]
    for number, column in enumerate(box.columns):
        y = place.middle(number) + 4
        types = place.x + 8 + names * _CHARACTER
        keys = place.x + place.width - 8
        parts.append(
            f'<text x="{place.x + 8}" y="{y}">{escape(column.name)}</text>'
            f'<text class="type" x="{types:.1f}" y="{y}">{escape(_words(column))}</text>'
            f'<text class="name" x="{keys:.1f}" y="{y}" text-anchor="end">{column.key}</text>'
        )
    return "".join(parts)


def _lines(boxes: Iterable[Box], places: Mapping[str, _Place]) -> Iterable[str]:
    for box in boxes:
        for number, column in enumerate(box.columns):
            if column.target in places:
                yield _line(places[box.name], places[column.target], number)


def _line(start: _Place, end: _Place, number: int) -> str:
    """Draw a curve from the left of a column's line to the head of the table it refers to."""
    x, y = start.x, start.middle(number)
    goal = end.y + _HEAD / 2
    to = end.x + end.width if end.x + end.width < x else end.x
    bend = _GAP_X / 2
    other = to + bend if to == end.x + end.width else to - bend
    path = f"M{x:.1f} {y:.1f} C{x - bend:.1f} {y:.1f} {other:.1f} {goal:.1f} {to:.1f} {goal:.1f}"
    return f'<path class="line" d="{path}"/><circle class="dot" cx="{to:.1f}" cy="{goal:.1f}" r="3"/>'
