"""Run the benchmarks with a separate, durable PostgreSQL server: ``make bench``.

Arguments are passed to ``benchmarks.storage`` (``--small`` uses smaller stores), or to the benchmark named
by the first argument: ``python -m scripts.bench accessors``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from tests.support import postgres

NAMES = ("bench", "bench_old", "bench_ours", "bench_plain")


def make_databases(server: str) -> str:
    """Create the databases of the benchmarks; return the URL of the first one."""
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
        arguments = sys.argv[1:]
        name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "storage"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--postgres", url, *arguments]
        return subprocess.run(command, cwd=postgres.ROOT, check=False).returncode
    finally:
        postgres.stop_server(directory)


if __name__ == "__main__":
    sys.exit(main())
