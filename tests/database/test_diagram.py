"""The diagram of the tables, and how a database does."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database import diagram
from lavendertown.database.health import health
from lavendertown.database.schema import HEAD, State
from lavendertown.database.tables import metadata
from lavendertown.errors import StorageUnavailableError
from tests.contract.builders import report

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A SQLite database with one report."""
    found = f"sqlite:///{tmp_path / 'team.db'}"
    storage = DatabaseStorage(found)
    storage.save_report(report("r1"))
    storage.close()
    return found


def boxes_of(*tables: sa.Table) -> list[diagram.Box]:
    names = {table.name for table in tables}
    return [box for box in diagram.read(tables[0].metadata) if box.name in names]


def two_tables() -> tuple[sa.Table, sa.Table]:
    models = sa.MetaData()
    shops = sa.Table("shops", models, sa.Column("id", sa.Integer, primary_key=True))
    orders = sa.Table(
        "orders",
        models,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("shop_id", sa.Integer, sa.ForeignKey("shops.id"), nullable=False),
        sa.Column("note", sa.String(20)),
    )
    return shops, orders


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_every_table_and_column_of_ours_is_drawn() -> None:
    drawn = texts(diagram.svg(diagram.read()))
    for table in metadata.tables.values():
        assert {table.name, *(column.name for column in table.columns)} <= set(drawn)


def test_a_line_stands_for_each_foreign_key() -> None:
    keys = sum(len(table.foreign_keys) for table in metadata.tables.values())
    lines = [*ET.fromstring(diagram.svg(diagram.read())).iter(f"{SVG}path")]
    assert len(lines) == keys > 0


def test_types_and_keys_are_said() -> None:
    orders = boxes_of(*two_tables())[0]
    said = [(column.name, column.type, column.key, column.nullable) for column in orders.columns]
    assert said == [
        ("id", "integer", "PK", False),
        ("shop_id", "integer", "FK", False),
        ("note", "string(20)", "", True),
    ]


def test_dot_joins_the_column_to_the_table_it_refers_to() -> None:
    text = diagram.dot(boxes_of(*two_tables()))
    assert '"orders":c1 -> "shops":head;' in text
    assert text.count("->") == 1


def test_names_cannot_break_out_of_the_picture() -> None:
    models = sa.MetaData()
    sa.Table('a<b>"&', models, sa.Column("<script>", sa.Integer, primary_key=True))
    boxes = [box for box in diagram.read(models) if box.name == 'a<b>"&']
    assert texts(diagram.svg(boxes))[:2] == ['a<b>"&', "<script>"]
    assert "<script>" not in diagram.dot(boxes)


def test_tables_that_refer_to_each_other_in_a_circle_are_drawn() -> None:
    models = sa.MetaData()
    for name, other in (("hen", "egg"), ("egg", "hen")):
        sa.Table(name, models, sa.Column("id", sa.Integer, sa.ForeignKey(f"{other}.id"), primary_key=True))
    boxes = boxes_of(*models.tables.values())
    assert diagram.svg(boxes).count("<path") == 2


def test_boxes_do_not_cover_one_another() -> None:
    found = [
        tuple(float(each.get(name) or 0) for name in ("x", "y", "width", "height"))
        for each in ET.fromstring(diagram.svg(diagram.read())).iter(f"{SVG}rect")
        if each.get("class") == "box"
    ]
    for number, (x, y, width, height) in enumerate(found):
        for left, top, wide, high in found[number + 1 :]:
            assert x + width <= left or left + wide <= x or y + height <= top or top + high <= y


def test_an_application_s_tables_stand_beside_ours(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        two_tables()[0].metadata.create_all(connection)
    engine.dispose()
    names = {box.name for box in diagram.read_database(url)}
    assert names == {*metadata.tables, "orders", "shops"}


def test_drawing_a_database_that_is_not_there_makes_no_file(tmp_path: Path) -> None:
    assert diagram.read_database(f"sqlite:///{tmp_path / 'none.db'}") == diagram.read()
    assert list(tmp_path.iterdir()) == []


def test_a_ready_database_is_well(url: str) -> None:
    found = health(url)
    assert (found.well, found.state, found.revision, found.wanted) == (True, State.CURRENT, HEAD, HEAD)
    assert found.reports == 1
    assert (found.bytes or 0) > 4096
    assert found.seconds > 0


def test_a_database_that_is_not_there_is_not_well_and_says_what_to_do(tmp_path: Path) -> None:
    found = health(f"sqlite:///{tmp_path / 'none.db'}")
    assert not found.well
    assert "lavendertown db init" in found.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_database_with_an_earlier_schema_is_not_well(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    found = health(url)
    assert (found.well, found.state, found.revision) == (False, State.OLDER, "0001")
    assert "lavendertown db upgrade" in found.sentence


def test_a_server_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(StorageUnavailableError):
        health("postgresql://nobody@127.0.0.1:9/none")


@pytest.mark.postgres
def test_postgresql_says_its_size(postgres_url: str) -> None:
    storage = DatabaseStorage(postgres_url)
    storage.close()
    found = health(postgres_url)
    assert found.well
    assert (found.bytes or 0) > 1_000_000
    assert {box.name for box in diagram.read_database(postgres_url)} == set(metadata.tables)
