"""A project's own migrations: beside ours, alone, in one transaction, losing no row."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database.project import migrations
from lavendertown.errors import InvalidInputError, NotFoundError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions
from tests.database.project_files import USER_MODELS, forget, write

ORDERS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from components.user.user_models import User

class Base(DeclarativeBase):
    pass

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    write(tmp_path, {"components/user/user_models.py": USER_MODELS, "models/orders.py": ORDERS})
    yield tmp_path
    forget(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, root: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{root / 'team.db'}"


def change(root: Path, old: str, new: str, file: str = "components/user/user_models.py") -> None:
    """Edit a model, as somebody does between two runs."""
    path = root / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    forget(root)
    # The file may be as old, in whole seconds, and as long as the one that was compiled.
    for cached in root.rglob("*.pyc"):
        cached.unlink()
    importlib.invalidate_caches()


def values(url: str, statement: str) -> list[object]:
    engine = make_engine(url)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement))
        rows = [row[0] for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def ready(root: Path, url: str) -> None:
    migrations.write_revision(root, url, "First")
    migrations.upgrade(root, url)


def test_a_fresh_database_gets_the_project_s_tables_and_ours_beside_them(root: Path, url: str) -> None:
    ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    storage = DatabaseStorage(url)
    storage.close()
    assert revisions.inspect_schema(url).state == "current"
    assert migrations.inspect_migrations(root, url).is_up_to_date


def test_a_migration_names_no_table_that_the_project_does_not_have(root: Path, url: str) -> None:
    DatabaseStorage(url).close()
    values(url, "CREATE TABLE strangers (id INTEGER)")
    written = migrations.write_revision(root, url, "First")
    assert written is not None
    text = written.read_text()
    assert "drop_table('users')" in text
    assert "strangers" not in text
    assert "reports" not in text


def test_a_table_made_anew_keeps_its_rows_and_those_that_refer_to_it(root: Path, url: str) -> None:
    ready(root, url)
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'Ana')")
    values(url, "INSERT INTO orders (id, user_id) VALUES (7, 1)")
    change(root, "name: Mapped[str] ", "name: Mapped[str | None] ")
    assert not migrations.inspect_migrations(root, url).is_up_to_date
    ready(root, url)
    assert values(url, "SELECT id FROM orders") == [7]
    values(url, "INSERT INTO users (id, email, name) VALUES (2, 'b@example.com', NULL)")
    values(url, "DELETE FROM users WHERE name IS NULL")
    migrations.downgrade(root, url, "-1")
    assert values(url, "SELECT id FROM orders") == [7]
    migrations.downgrade(root, url, "base")
    assert migrations.inspect_migrations(root, url).revision == ""


def test_a_migration_that_fails_changes_nothing(root: Path, url: str) -> None:
    ready(root, url)
    written = migrations.write_revision(root, url, "Broken", autogenerate=False)
    assert written is not None
    text = written.read_text().replace("pass", "op.execute('CREATE TABLE half (id INTEGER)'); 1 / 0", 1)
    written.write_text(text)
    before = migrations.inspect_migrations(root, url).revision
    with pytest.raises(ZeroDivisionError):
        migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).revision == before
    with pytest.raises(sa.exc.DBAPIError):
        values(url, "SELECT * FROM half")


def test_an_upgrade_is_backed_up_and_done_once(root: Path, url: str) -> None:
    ready(root, url)
    change(root, "name: Mapped[str] ", "title: Mapped[str | None] ")
    migrations.write_revision(root, url, "Title")
    first = migrations.upgrade(root, url)
    assert first.backup is not None
    assert first.backup.exists()
    again = migrations.upgrade(root, url)
    assert (again.before, again.after, again.backup) == (first.after, first.after, None)


def test_looking_makes_no_file(root: Path) -> None:
    migrations.write_migration_files(root)
    found = migrations.inspect_migrations(root, f"sqlite:///{root / 'none.db'}")
    assert found.differences == ("the table 'orders' is missing", "the table 'users' is missing")
    assert not (root / "none.db").exists()


def test_what_is_written_names_no_place_and_no_database(root: Path, url: str) -> None:
    ready(root, url)
    texts = "".join(p.read_text() for p in (root / "migrations").rglob("*") if p.suffix in (".py", ".ini"))
    assert str(root) not in texts
    assert url not in texts


def test_a_revision_before_the_upgrade_is_refused(root: Path, url: str) -> None:
    migrations.write_revision(root, url, "First")
    with pytest.raises(InvalidInputError, match="Target database is not up to date"):
        migrations.write_revision(root, url, "Second")


def test_an_unknown_revision_is_refused(root: Path, url: str) -> None:
    ready(root, url)
    with pytest.raises(InvalidInputError, match="'nonesuch'"):
        migrations.downgrade(root, url, "nonesuch")


def test_a_project_without_migrations_says_what_to_do(root: Path) -> None:
    with pytest.raises(NotFoundError, match="lavendertown db revision --autogenerate"):
        migrations.upgrade(root, "sqlite:///none.db")


def test_types_are_written_as_what_they_are_stored_as(root: Path, url: str) -> None:
    money = (
        "import sqlalchemy as sa\n"
        "class Money(sa.types.TypeDecorator):\n"
        "    impl = sa.Numeric(12, 2)\n"
        "    cache_ok = True\n"
    )
    path = root / "components/user/user_models.py"
    path.write_text(money + path.read_text() + "    worth: Mapped[float] = mapped_column(Money())\n")
    written = migrations.write_revision(root, url, "First")
    assert written is not None
    assert "sa.Numeric(precision=12, scale=2)" in written.read_text()
    assert "components" not in written.read_text()
    assert "components.user" in " ".join(sys.modules)


def test_unique_values_of_deleted_rows_are_free(root: Path, url: str) -> None:
    path = root / "components/user/user_models.py"
    path.write_text(
        "import datetime as dt\n" + path.read_text() + "    deleted_at: Mapped[dt.datetime | None]\n"
    )
    ready(root, url)
    columns = "INSERT INTO users (id, email, name, deleted_at) VALUES"
    values(url, f"{columns} (1, 'a@example.com', 'Ana', '2026-11-01'), (2, 'a@example.com', 'Ana', NULL)")
    with pytest.raises(sa.exc.IntegrityError):
        values(url, f"{columns} (3, 'a@example.com', 'Ana', NULL)")
    assert migrations.inspect_migrations(root, url).is_up_to_date


def test_a_named_unique_constraint_keeps_its_name_when_deleted_rows_free_it(root: Path, url: str) -> None:
    change(root, "from sqlalchemy.orm", "import datetime as dt\nimport sqlalchemy as sa\nfrom sqlalchemy.orm")
    change(root, '"users"\n', "\"users\"\n    __table_args__ = (sa.UniqueConstraint('name', name='mine'),)\n")
    ready(root, url)
    change(root, PLAIN_NAME, f"{PLAIN_NAME}\n    deleted_at: Mapped[dt.datetime | None]")
    ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    columns = "INSERT INTO users (id, email, name, deleted_at) VALUES"
    values(url, f"{columns} (1, 'a@example.com', 'Ana', '2026-11-01'), (2, 'b@example.com', 'Ana', NULL)")
    with pytest.raises(sa.exc.IntegrityError):
        values(url, f"{columns} (3, 'c@example.com', 'Ana', NULL)")
    values(url, "DELETE FROM users WHERE deleted_at IS NOT NULL")
    migrations.downgrade(root, url, "-1")
    assert unique_columns(url) == [["email"], ["name"]]
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("deleted", ["", "\n    deleted_at: Mapped[dt.datetime | None]"], ids=["", "soft"])
@pytest.mark.parametrize("exists", [False, True], ids=["new-table", "old-table"])
def test_a_unique_expression_is_created(root: Path, url: str, exists: bool, deleted: str) -> None:
    change(root, "from sqlalchemy.orm", "import datetime as dt\nimport sqlalchemy as sa\nfrom sqlalchemy.orm")
    change(root, PLAIN_NAME, PLAIN_NAME + deleted)
    if exists:
        ready(root, url)
    index = "sa.Index('lower_name', sa.func.lower(User.name), unique=True)"
    change(root, f"{PLAIN_NAME}{deleted}\n", f"{PLAIN_NAME}{deleted}\n\n{index}\n")
    assert migrations.write_revision(root, url, "Lower") is not None
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'Ana')")
    with pytest.raises(sa.exc.IntegrityError):
        values(url, "INSERT INTO users (id, email, name) VALUES (2, 'b@example.com', 'aNA')")
    values(url, "DELETE FROM users")
    migrations.downgrade(root, url, "-1")
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    change(root, "email: Mapped[str]", "email: Mapped[str | None]")
    ready(root, url)
    if url.startswith("sqlite"):
        assert migrations.inspect_migrations(root, url).differences == ("add index 'lower_name' of 'users'",)
        ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date


def test_a_unique_value_is_added_and_removed_up_and_down(root: Path, url: str) -> None:
    ready(root, url)
    plain, unique = "name: Mapped[str] = mapped_column()", "name: Mapped[str] = mapped_column(unique=True)"
    for number, (old, new) in enumerate([(plain, unique), (unique, plain)]):
        change(root, old, new)
        assert migrations.write_revision(root, url, f"unique {number}") is not None
        migrations.upgrade(root, url)
        assert migrations.inspect_migrations(root, url).is_up_to_date
    for unique_names in (1, 0):
        migrations.downgrade(root, url, "-1")
        engine = make_engine(url)
        found = [each["column_names"] for each in sa.inspect(engine).get_unique_constraints("users")]
        engine.dispose()
        assert found.count(["name"]) == unique_names


def unique_columns(url: str) -> list[list[str]]:
    engine = make_engine(url)
    found = [each["column_names"] for each in sa.inspect(engine).get_unique_constraints("users")]
    engine.dispose()
    return sorted(found)


def test_an_unnamed_unique_constraint_of_an_earlier_migration_is_removed_and_restored(
    root: Path, url: str
) -> None:
    unique = "name: Mapped[str] = mapped_column(unique=True)"
    change(root, "name: Mapped[str] = mapped_column()", unique)
    written = migrations.write_revision(root, url, "First")
    assert written is not None
    text = re.sub(r", name='users_\w+_key'", "", written.read_text())
    assert "UniqueConstraint('name')" in text
    written.write_text(text)
    migrations.upgrade(root, url)
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'Ana')")
    assert migrations.inspect_migrations(root, url).is_up_to_date
    change(root, unique, "name: Mapped[str] = mapped_column()")
    assert migrations.inspect_migrations(root, url).differences == (
        "remove constraint 'users_name_key' of 'users'",
    )
    assert migrations.write_revision(root, url, "Second") is not None
    migrations.upgrade(root, url)
    assert unique_columns(url) == [["email"]]
    assert migrations.inspect_migrations(root, url).is_up_to_date
    values(url, "INSERT INTO users (id, email, name) VALUES (2, 'b@example.com', 'Ben')")
    migrations.downgrade(root, url, "-1")
    assert unique_columns(url) == [["email"], ["name"]]
    assert values(url, "SELECT name FROM users ORDER BY id") == ["Ana", "Ben"]
    migrations.upgrade(root, url)
    assert unique_columns(url) == [["email"]]


@pytest.mark.parametrize(
    "new",
    ["", "email: Mapped[str]\n    deleted_at: Mapped[dt.datetime | None]"],
    ids=["column", "soft-delete"],
)
def test_an_unnamed_unique_constraint_goes_with_its_column_or_becomes_partial(
    root: Path, url: str, new: str
) -> None:
    change(root, "from sqlalchemy.orm", "import datetime as dt\nfrom sqlalchemy.orm")
    written = migrations.write_revision(root, url, "First")
    assert written is not None
    written.write_text(written.read_text().replace(", name='users_email_key'", ""))
    migrations.upgrade(root, url)
    change(root, "email: Mapped[str] = mapped_column(unique=True)", new)
    assert migrations.write_revision(root, url, "Second") is not None
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    assert unique_columns(url) == []
    migrations.downgrade(root, url, "-1")
    assert unique_columns(url) == [["email"]]


def foreign_keys(url: str, table: str) -> list[tuple[str | None, list[str], str, str | None]]:
    engine = make_engine(url)
    found = sa.inspect(engine).get_foreign_keys(table)
    engine.dispose()
    return sorted(
        (
            each["name"],
            each["constrained_columns"],
            each["referred_table"],
            each["options"].get("ondelete"),
        )
        for each in found
    )


ORDER_KEY = ("orders_user_id_fkey", ["user_id"], "users", "CASCADE")
ORDER_ID = "    id: Mapped[int] = mapped_column(primary_key=True)\n"


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("ForeignKey('users.id')", ("orders_former_id_fkey", ["former_id"], "users", None)),
        ("ForeignKey('users.id'), unique=True", ("orders_former_id_fkey", ["former_id"], "users", None)),
        ("ForeignKey('orders.id')", ("orders_former_id_fkey", ["former_id"], "orders", None)),
        ("ForeignKey('users.id', name='mine')", ("mine", ["former_id"], "users", None)),
    ],
    ids=["plain", "unique", "own-table", "named"],
)
def test_a_foreign_key_is_added_and_removed_up_and_down(
    root: Path, url: str, column: str, key: tuple[str, list[str], str, None]
) -> None:
    ready(root, url)
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'Ana')")
    values(url, "INSERT INTO orders (id, user_id) VALUES (7, 1)")
    line = f"    former_id: Mapped[int | None] = mapped_column({column})\n"
    for number, (old, new) in enumerate([(ORDER_ID, ORDER_ID + line), (line, "")]):
        change(root, old, new, "models/orders.py")
        assert migrations.write_revision(root, url, f"key {number}") is not None
        migrations.upgrade(root, url)
        assert migrations.inspect_migrations(root, url).is_up_to_date
        assert foreign_keys(url, "orders") == sorted([ORDER_KEY, *([key] if new else [])])
    migrations.downgrade(root, url, "-1")
    assert foreign_keys(url, "orders") == sorted([ORDER_KEY, key])
    migrations.downgrade(root, url, "-1")
    assert foreign_keys(url, "orders") == [ORDER_KEY]
    assert values(url, "SELECT user_id FROM orders") == [1]


@pytest.mark.parametrize(
    ("new", "keys"),
    [
        ("mapped_column()", []),
        ("mapped_column(ForeignKey(User.id))", [("orders_user_id_fkey", ["user_id"], "users", None)]),
        ("", []),
    ],
    ids=["removed", "changed", "column"],
)
def test_an_unnamed_foreign_key_of_an_earlier_migration_is_removed_and_restored(
    root: Path, url: str, new: str, keys: list[tuple[str, list[str], str, None]]
) -> None:
    written = migrations.write_revision(root, url, "First")
    assert written is not None
    text = written.read_text()
    assert ", name='orders_user_id_fkey'" in text
    written.write_text(text.replace(", name='orders_user_id_fkey'", ""))
    migrations.upgrade(root, url)
    line = 'user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))'
    change(root, line, new and f"user_id: Mapped[int] = {new}", "models/orders.py")
    assert migrations.write_revision(root, url, "Second") is not None
    for _ in range(2):
        migrations.upgrade(root, url)
        assert migrations.inspect_migrations(root, url).is_up_to_date
        assert foreign_keys(url, "orders") == keys
        migrations.downgrade(root, url, "-1")
        assert foreign_keys(url, "orders") == [ORDER_KEY]


def test_names_of_constraints_are_distinct_however_long(root: Path, url: str) -> None:
    column = "c" * 60
    lines = "".join(
        f"    {column}{end}: Mapped[int | None] = mapped_column(ForeignKey('users.id'), unique=True)\n"
        for end in "ab"
    )
    twice = "    both: Mapped[int | None] = mapped_column(ForeignKey('users.id'), ForeignKey('people.id'))\n"
    people = f"class Person(Base):\n    __tablename__ = 'people'\n{ORDER_ID}\n"
    change(root, "class Order(Base)", f"{people}class Order(Base)", "models/orders.py")
    ready(root, url)
    change(root, '"orders"\n', f'"orders"\n{lines}{twice}', "models/orders.py")
    ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    names = [str(each[0]) for each in foreign_keys(url, "orders")]
    assert len(set(names)) == 5
    assert max(map(len, names)) == 63
    migrations.downgrade(root, url, "-1")
    assert foreign_keys(url, "orders") == [ORDER_KEY]


PLAIN_NAME = "name: Mapped[str] = mapped_column()"


def enum_types(url: str) -> dict[str, list[str]]:
    engine = make_engine(url)
    inspector = sa.inspect(engine)
    found = {each["name"]: each["labels"] for each in getattr(inspector, "get_enums", list)()}
    engine.dispose()
    return found


def add_enum(root: Path, column: str, name: str = "kind") -> None:
    line = f"{name}: Mapped[str | None] = mapped_column({column})"
    change(root, PLAIN_NAME, f"{PLAIN_NAME}\n    {line}")


@pytest.fixture
def with_enums(root: Path) -> None:
    text = """import enum
import sqlalchemy as sa
class Kind(enum.Enum):
    new = 1
    old = 2
class Stored(sa.types.TypeDecorator):
    impl = sa.Enum("new", "old", name="kind")
    cache_ok = True
from sqlalchemy.orm"""
    change(root, "from sqlalchemy.orm", text)


@pytest.mark.usefixtures("with_enums")
@pytest.mark.parametrize(
    "column",
    [
        "sa.Enum(Kind)",
        "sa.Enum(Kind), server_default='new', index=True",
        "Stored()",
        "sa.ARRAY(sa.Enum(Kind)).with_variant(sa.JSON(), 'sqlite')",
    ],
)
def test_an_enum_type_comes_and_goes_with_its_columns(root: Path, url: str, column: str) -> None:
    expected = {"kind": ["new", "old"]} if url.startswith("postgres") else {}
    ready(root, url)
    add_enum(root, column)
    ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    assert enum_types(url) == expected
    add_enum(root, column, "second")
    ready(root, url)
    migrations.downgrade(root, url, "-1")
    assert enum_types(url) == expected
    migrations.downgrade(root, url, "-1")
    assert enum_types(url) == {}
    migrations.upgrade(root, url)
    for name in ("second", "kind"):
        change(root, f"\n    {name}: Mapped[str | None] = mapped_column({column})", "")
    ready(root, url)
    assert enum_types(url) == {}
    migrations.downgrade(root, url, "-1")
    assert enum_types(url) == expected
    migrations.downgrade(root, url, "base")
    assert enum_types(url) == {}
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date


@pytest.mark.usefixtures("with_enums")
def test_an_enum_type_of_a_new_table_is_shared_and_dropped(root: Path, url: str) -> None:
    expected = {"kind": ["new", "old"]} if url.startswith("postgres") else {}
    add_enum(root, "sa.Enum(Kind)")
    ready(root, url)
    values(url, "INSERT INTO users (id, email, name, kind) VALUES (1, 'a@example.com', 'Ana', 'old')")
    sql = migrations.write_sql(root, "postgresql://host/database")
    assert "CREATE TYPE kind AS ENUM ('new', 'old')" in sql
    people = f"class Person(Base):\n    __tablename__ = 'people'\n{ORDER_ID}"
    kind = "    kind: Mapped[str] = mapped_column(sa.Enum('new', 'old', name='kind'))\n\n"
    change(root, "class Order(Base)", f"{people}{kind}class Order(Base)", "models/orders.py")
    change(
        root, "from sqlalchemy import", "import sqlalchemy as sa\nfrom sqlalchemy import", "models/orders.py"
    )
    ready(root, url)
    assert migrations.write_sql(root, "postgresql://host/database").count("CREATE TYPE") == 1
    migrations.downgrade(root, url, "-1")
    assert enum_types(url) == expected
    assert values(url, "SELECT kind FROM users") == ["old"]
    migrations.downgrade(root, url, "base")
    assert enum_types(url) == {}
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date


@pytest.mark.usefixtures("with_enums")
def test_a_text_column_becomes_an_enum_and_text_again(root: Path, url: str) -> None:
    change(root, PLAIN_NAME, "name: Mapped[str] = mapped_column(sa.String(10))")
    ready(root, url)
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'old')")
    change(root, "sa.String(10)", "sa.Enum(Kind, name='Kind 2')")
    ready(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    assert list(enum_types(url)) == (["Kind 2"] if url.startswith("postgres") else [])
    migrations.downgrade(root, url, "-1")
    assert enum_types(url) == {}
    migrations.upgrade(root, url)
    change(root, "sa.Enum(Kind, name='Kind 2')", "sa.String(10)")
    ready(root, url)
    assert enum_types(url) == {}
    migrations.downgrade(root, url, "-1")
    assert values(url, "SELECT name FROM users") == ["old"]
    assert migrations.inspect_migrations(root, url).differences != ()


@pytest.mark.postgres
@pytest.mark.usefixtures("with_enums")
def test_a_downgrade_keeps_an_enum_type_that_was_there_before(root: Path, postgres_url: str) -> None:
    ready(root, postgres_url)
    values(postgres_url, "CREATE TYPE kind AS ENUM ('new', 'old')")
    values(postgres_url, "CREATE TABLE strangers (kind kind)")
    add_enum(root, "sa.Enum(Kind)")
    ready(root, postgres_url)
    migrations.downgrade(root, postgres_url, "-1")
    assert list(enum_types(postgres_url)) == ["kind"]


def test_a_rename_and_a_column_that_cannot_be_empty_are_pointed_out(
    root: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ready(root, url)
    change(root, "    name: Mapped[str]", "    full_name: Mapped[str]")
    assert migrations.write_revision(root, url, "rename") is not None
    assert "new_column_name='full_name'" in caplog.text
    assert "The column users.full_name is new, cannot be empty and has no server_default" in caplog.text


NOTES = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(index=True)
    author: Mapped[str]
"""


@pytest.mark.parametrize("column", ["author", "writer"])
def test_a_renamed_table_is_pointed_out(
    root: Path, url: str, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    DatabaseStorage(url).close()
    write(root, {"models/notes.py": NOTES})
    values(url, "CREATE TABLE strangers (id INTEGER)")
    ready(root, url)
    assert "rename" not in caplog.text
    values(url, "INSERT INTO notes (id, text, author) VALUES (1, 'Ask Acme.', 'Ana')")
    change(root, '"notes"', '"remarks"', "models/notes.py")
    change(root, "author", column, "models/notes.py")
    written = migrations.write_revision(root, url, "Remarks")
    assert written is not None
    assert "The migration creates the table remarks and leaves notes as it is" in caplog.text
    assert "op.rename_table('notes', 'remarks')" in caplog.text
    assert "strangers" not in caplog.text
    up = re.compile(r"op\.create_table\('remarks',.*?\n    \)", re.DOTALL)
    text = up.sub("op.rename_table('notes', 'remarks')", written.read_text())
    written.write_text(text.replace("op.drop_table('remarks')", "op.rename_table('remarks', 'notes')"))
    migrations.upgrade(root, url)
    assert values(url, "SELECT text FROM remarks") == ["Ask Acme."]
    migrations.downgrade(root, url, "-1")
    assert values(url, "SELECT text FROM notes") == ["Ask Acme."]


def test_a_renamed_table_with_keys_to_it_keeps_its_rows(
    root: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ready(root, url)
    values(url, "INSERT INTO users (id, email, name) VALUES (1, 'a@example.com', 'Ana')")
    values(url, "INSERT INTO orders (id, user_id) VALUES (7, 1)")
    change(root, '"users"', '"people"')
    written = migrations.write_revision(root, url, "People")
    assert written is not None
    sentence = next(each for each in caplog.messages if "op.rename_table" in each)
    assert "replace op.create_table and the changes of foreign keys to it by" in sentence
    head = written.read_text().partition("def upgrade")[0]
    written.write_text(
        f"{head}def upgrade() -> None:\n    op.rename_table('users', 'people')\n\n"
        "def downgrade() -> None:\n    op.rename_table('people', 'users')\n"
    )
    migrations.upgrade(root, url)
    assert migrations.inspect_migrations(root, url).is_up_to_date
    assert values(url, "SELECT name FROM orders JOIN people ON people.id = user_id") == ["Ana"]
    migrations.downgrade(root, url, "-1")
    assert values(url, "SELECT name FROM orders JOIN users ON users.id = user_id") == ["Ana"]
