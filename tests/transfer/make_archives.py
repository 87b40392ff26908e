"""Write the archives of a released schema, each run once with the last version that had it.

    PYTHONPATH=<checkout of that version> python tests/transfer/make_archives.py 0006 <PostgreSQL URL>

From the SQLite file of that schema (``tests/schema/assets``) and a table of an application, it writes an
export of all tables, the archive that was PostgreSQL's backup without pg_dump, and the zip of a data folder.
Later versions never run it again for the same schema; they prove that they still restore what it left.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa

from lavendertown.migration.mover import move
from lavendertown.migration.values import Request
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies import backup, export

PLANTS = [
    "CREATE TABLE plants (id INTEGER PRIMARY KEY, name VARCHAR(20), alive BOOLEAN, height NUMERIC(8, 2))",
    "INSERT INTO plants VALUES (1, '=lavender', true, 1.50), (2, '', false, -2), (3, NULL, NULL, NULL)",
]


def main() -> None:
    revision, server = sys.argv[1:]
    tests = Path(__file__).parents[1]
    made = tests / "transfer" / "assets" / revision
    made.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "team.db"
        shutil.copy(tests / "schema" / "assets" / revision / "lavendertown.db", database)
        move(Request(f"sqlite:///{database}", f"{scratch}/folder"))
        move(Request(f"sqlite:///{database}", server))
        for url in (f"sqlite:///{database}", server):
            engine = make_engine(url)
            with engine.begin() as connection:
                for statement in PLANTS:
                    connection.execute(sa.text(statement))
            if url == server:
                backup._archive(engine, made / "postgres.zip")
            engine.dispose()
        export.export_database(f"sqlite:///{database}", made / "export.zip")
        try:
            data_files = importlib.import_module("lavendertown.ui.data_files")
        except ImportError:
            return  # The dashboard's screen Data came with schema 0003.
        from lavendertown.stores.files import FileStore

        data_files.zip_folder(FileStore(Path(scratch) / "folder"), made).rename(made / "folder.zip")


if __name__ == "__main__":
    main()
