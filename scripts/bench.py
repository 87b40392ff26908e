"""Run the benchmarks, with a durable PostgreSQL of their own: ``make bench``.

Arguments go to ``benchmarks.storage`` (``--small`` takes smaller stores), or to another one that the
first argument names: ``python -m scripts.bench accessors``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.support import postgres

NAMES = ("bench", "bench_old")


def make_databases(server: str) -> str:
    """Make the benchmark's database and the ancestor's beside it; return the first one's URL."""
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    connection.close()
    return urlunsplit(urlsplit(server)._replace(path=f"/{NAMES[0]}"))


def main() -> int:
    directory = postgres.make_run_directory()
    try:
        url = make_databases(postgres.server_url(directory, os.getpid(), durable=True))
        given = sys.argv[1:]
        name = given.pop(0) if given and not given[0].startswith("-") else "storage"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--postgres", url, *given]
        return subprocess.run(command, cwd=postgres.ROOT, check=False).returncode
    finally:
        postgres.stop_server(directory)


if __name__ == "__main__":
    sys.exit(main())
