"""The diagram of the tables, and how a database does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import StorageUnavailableError
from lavendertown.stores.sql.health import check_health
from lavendertown.stores.sql.schema import schema_diagram
from lavendertown.stores.sql.schema.revisions import HEAD, SchemaState
from lavendertown.stores.sql.schema.tables import metadata
from tests.contract.builders import report


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A SQLite database with one report."""
    found = f"sqlite:///{tmp_path / 'team.db'}"
    storage = DatabaseStorage(found)
    storage.save_report(report("r1"))
    storage.close()
    return found


def boxes_of(*tables: sa.Table) -> list[schema_diagram.TableBox]:
    names = {table.name for table in tables}
    return [box for box in schema_diagram.collect_table_boxes(tables[0].metadata) if box.name in names]


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


def labels(dot: str) -> dict[str, str]:
    """The label of each table in a diagram, by the table's name."""
    return dict(re.findall(r'^  "(.*)" \[label=<(.*)>\];$', dot, re.MULTILINE))


def test_every_table_and_column_of_ours_is_drawn() -> None:
    drawn = labels(schema_diagram.render_dot(schema_diagram.collect_table_boxes()))
    assert drawn.keys() == metadata.tables.keys()
    for table in metadata.tables.values():
        assert all(f">{column.name}<" in drawn[table.name] for column in table.columns)


def test_an_arrow_stands_for_each_foreign_key() -> None:
    keys = sum(len(table.foreign_keys) for table in metadata.tables.values())
    dot = schema_diagram.render_dot(schema_diagram.collect_table_boxes())
    assert dot.count(":head;") == keys > 0


def test_types_and_keys_are_said() -> None:
    orders = boxes_of(*two_tables())[0]
    said = [(column.name, column.type, column.key, column.nullable) for column in orders.columns]
    assert said == [
        ("id", "integer", "PK", False),
        ("shop_id", "integer", "FK", False),
        ("note", "string(20)", "", True),
    ]


def test_an_arrow_joins_the_column_to_the_table_it_refers_to() -> None:
    text = schema_diagram.render_dot(boxes_of(*two_tables()))
    assert '"orders":c1 -> "shops":head;' in text
    assert text.count("->") == 1


def test_names_cannot_break_out_of_the_diagram() -> None:
    models = sa.MetaData()
    name = 'a<b>"&\\\x01'
    sa.Table(name, models, sa.Column("<script>", sa.Integer, primary_key=True))
    boxes = [box for box in schema_diagram.collect_table_boxes(models) if box.name == name]
    text = schema_diagram.render_dot(boxes)
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "\x01" not in text


def test_tables_that_refer_to_each_other_in_a_circle_are_drawn() -> None:
    models = sa.MetaData()
    for name, other in (("hen", "egg"), ("egg", "hen")):
        sa.Table(name, models, sa.Column("id", sa.Integer, sa.ForeignKey(f"{other}.id"), primary_key=True))
    assert schema_diagram.render_dot(boxes_of(*models.tables.values())).count(":head;") == 2


def test_unrelated_tables_are_paired_without_a_visible_line() -> None:
    models = sa.MetaData()
    for name in ("a", "b", "c"):
        sa.Table(name, models, sa.Column("id", sa.Integer, primary_key=True))
    text = schema_diagram.render_dot(boxes_of(*models.tables.values()))
    assert text.count("->") == text.count('"a" -> "b" [style=invis];') == 1


def test_an_application_s_tables_stand_beside_ours(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        two_tables()[0].metadata.create_all(connection)
    engine.dispose()
    names = {box.name for box in schema_diagram.read_database_boxes(url)}
    assert names == {*metadata.tables, "orders", "shops"}


def test_drawing_a_database_that_is_not_there_makes_no_file(tmp_path: Path) -> None:
    assert (
        schema_diagram.read_database_boxes(f"sqlite:///{tmp_path / 'none.db'}")
        == schema_diagram.collect_table_boxes()
    )
    assert list(tmp_path.iterdir()) == []


def test_a_ready_database_is_well(url: str) -> None:
    found = check_health(url)
    assert (found.is_ok, found.state, found.revision, found.expected_revision) == (
        True,
        SchemaState.CURRENT,
        HEAD,
        HEAD,
    )
    assert found.report_count == 1
    assert (found.size_bytes or 0) > 4096
    assert found.query_seconds > 0


def test_a_database_that_is_not_there_is_not_well_and_says_what_to_do(tmp_path: Path) -> None:
    found = check_health(f"sqlite:///{tmp_path / 'none.db'}")
    assert not found.is_ok
    assert "lavendertown db init" in found.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_database_with_an_earlier_schema_is_not_well(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    found = check_health(url)
    assert (found.is_ok, found.state, found.revision) == (False, SchemaState.OLDER, "0001")
    assert "lavendertown db upgrade" in found.sentence


def test_a_server_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(StorageUnavailableError):
        check_health("postgresql://nobody@127.0.0.1:9/none")


@pytest.mark.postgres
def test_postgresql_says_its_size(postgres_url: str) -> None:
    storage = DatabaseStorage(postgres_url)
    storage.close()
    found = check_health(postgres_url)
    assert found.is_ok
    assert (found.size_bytes or 0) > 1_000_000
    assert {box.name for box in schema_diagram.read_database_boxes(postgres_url)} == set(metadata.tables)
