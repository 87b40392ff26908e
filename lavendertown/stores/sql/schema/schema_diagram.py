"""The schema diagram as DOT: a box per table with its columns, and an arrow per foreign key.

Graphviz renders it: ``st.graphviz_chart`` in the browser, and the program ``dot`` elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.stores.sql.connection.engine import make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.schema import tables

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class ColumnLine:
    """A column, as a line in the box of its table.

    Attributes:
        key: ``"PK"``, ``"FK"``, ``"PK FK"`` or empty.
        target: The table that the column references; empty for none.
    """

    name: str
    type: str
    key: str
    nullable: bool
    target: str


@dataclass(frozen=True)
class TableBox:
    """A table with its columns."""

    name: str
    columns: tuple[ColumnLine, ...]

    @property
    def referenced_tables(self) -> set[str]:
        """The other tables that the table references."""
        return {column.target for column in self.columns} - {"", self.name}


def collect_table_boxes(source: sa.MetaData | Engine | None = None) -> list[TableBox]:
    """Return the boxes of a diagram, sorted by name.

    Args:
        source: Models or a database whose tables are shown together with LavenderTown's own; None for
            LavenderTown's tables only.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    boxes = {table.name: _table_box(table) for table in tables.metadata.tables.values()}
    other_tables = _reflect_database(source) if isinstance(source, Engine) else source
    if other_tables is not None:
        for table in other_tables.tables.values():
            boxes.setdefault(table.fullname, _table_box(table))
    boxes.pop("alembic_version", None)
    return [boxes[name] for name in sorted(boxes)]


def read_database_boxes(database_url: str | URL) -> list[TableBox]:
    """Return the boxes of a database, without changing it or creating a file.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    if url.get_backend_name() == "sqlite":
        from lavendertown.stores.sql.schema.revisions import SchemaState, inspect_schema

        if inspect_schema(url).state is SchemaState.EMPTY:
            return collect_table_boxes()
    engine = make_engine(url)
    try:
        return collect_table_boxes(engine)
    finally:
        engine.dispose()


def _reflect_database(engine: Engine) -> sa.MetaData:
    metadata = sa.MetaData()
    with (
        translate_errors(engine.url),
        snapshot_connection(engine) as connection,
    ):
        metadata.reflect(connection)
    return metadata


def _table_box(table: sa.Table) -> TableBox:
    return TableBox(table.fullname, tuple(_column_line(column) for column in table.columns))


def _column_line(column: sa.Column[object]) -> ColumnLine:
    target = next((key.target_fullname.rpartition(".")[0] for key in column.foreign_keys), "")
    key = " ".join(word for word, applies in (("PK", column.primary_key), ("FK", bool(target))) if applies)
    nullable = bool(column.nullable) and not column.primary_key
    return ColumnLine(column.name, _type_name(column.type), key, nullable, target)


def _type_name(kind: sa.types.TypeEngine[object]) -> str:
    """Return a short type name that is the same on every database."""
    if isinstance(kind, sa.TypeDecorator):
        kind = kind.impl_instance
    length = getattr(kind, "length", None)
    name = type(kind).__name__ if type(kind).__name__ == type(kind).__name__.upper() else kind.__visit_name__
    return name.lower().replace("_", " ") + (f"({length})" if length else "")


@dataclass(frozen=True)
class Palette:
    """The colors of a diagram."""

    background: str
    text: str
    box: str
    head: str
    border: str
    arrow: str


PRINT_PALETTE = Palette("white", "#191424", "#f8f6fc", "#e3deed", "#c9bfe0", "#6b4fbb")
LIGHT_PALETTE = replace(PRINT_PALETTE, background="transparent")
DARK_PALETTE = Palette("transparent", "#eae6f4", "#1f1b2a", "#332d43", "#4a4260", "#b5a1f5")


def render_dot(boxes: Iterable[TableBox], palette: Palette = PRINT_PALETTE) -> str:
    """Return the diagram in DOT, the language of Graphviz.

    Args:
        boxes: The tables.
        palette: The colors; :data:`LIGHT_PALETTE` and :data:`DARK_PALETTE` have no background.
    """
    boxes = list(boxes)
    unrelated = _unrelated_boxes(boxes)
    # Graphviz packs from the bottom up, so the related tables, listed last, are drawn at the top.
    ordered = [*unrelated, *(box for box in boxes if box not in unrelated)]
    lines = [
        "digraph tables {",
        # Lay out each group of related tables on its own and pack the groups in two columns. Without
        # packing, all tables form one tall column.
        f'  graph [rankdir=RL, bgcolor="{palette.background}", nodesep=0.3, ranksep=0.4, pack=16, '
        'packmode="array_ci2"];',
        f'  node [shape=plain, fontname="Helvetica,Arial,sans-serif", fontsize=10, '
        f'fontcolor="{palette.text}"];',
        f'  edge [color="{palette.arrow}", arrowsize=0.7];',
        *(f"  {_quote_name(box.name)} [label=<{_html_label(box, palette)}>];" for box in ordered),
        *_foreign_key_edges(boxes),
        *_invisible_pairs(unrelated),
    ]
    return "\n".join([*lines, "}", ""])


def _unrelated_boxes(boxes: Sequence[TableBox]) -> list[TableBox]:
    """Return the tables without foreign keys from or to another table, the longest last."""
    known = {box.name for box in boxes}
    related = {target for box in boxes for target in box.referenced_tables}
    unrelated = [box for box in boxes if box.name not in related and not box.referenced_tables & known]
    return sorted(unrelated, key=lambda box: len(box.columns))


def _foreign_key_edges(boxes: Sequence[TableBox]) -> Iterator[str]:
    known = {box.name for box in boxes}
    for box in boxes:
        for number, column in enumerate(box.columns):
            if column.target in known:
                yield f"  {_quote_name(box.name)}:c{number} -> {_quote_name(column.target)}:head;"


def _invisible_pairs(boxes: Sequence[TableBox]) -> Iterator[str]:
    """Yield invisible edges between pairs of tables, which make a pair as wide as a related group."""
    for right, left in zip(boxes[::2], boxes[1::2], strict=False):
        yield f"  {_quote_name(right.name)} -> {_quote_name(left.name)} [style=invis];"


def _quote_name(name: str) -> str:
    name = _without_control_characters(name)
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escape_html(text: str) -> str:
    return escape(_without_control_characters(text))


def _without_control_characters(text: str) -> str:
    """Replace control characters, which are invalid in the XML of an SVG."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _html_label(box: TableBox, palette: Palette) -> str:
    head = (
        f'<TR><TD PORT="head" COLSPAN="3" BGCOLOR="{palette.head}"><B>{_escape_html(box.name)}</B></TD></TR>'
    )
    rows = "".join(
        f'<TR><TD PORT="c{number}" ALIGN="LEFT">{_escape_html(column.name)}</TD>'
        f'<TD ALIGN="LEFT">{_escape_html(column.type)}{"?" if column.nullable else ""}</TD>'
        f"<TD>{column.key}</TD></TR>"
        for number, column in enumerate(box.columns)
    )
    style = f'BORDER="0" CELLBORDER="1" CELLSPACING="0" COLOR="{palette.border}" BGCOLOR="{palette.box}"'
    return f"<TABLE {style}>{head}{rows}</TABLE>"
