"""The store in a database: SQLite, PostgreSQL or MariaDB, through SQLAlchemy."""

from __future__ import annotations
