"""``lavendertown db seed``: run seeds, each of them once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lavendertown.cli.database.schema import url_option
from lavendertown.cli.options import json_option, open_storage
from lavendertown.cli.output import format_cell, print_json, print_table
from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.transfer.locations import database_libraries

if TYPE_CHECKING:
    from lavendertown.database.seeds import Seed, SeedStatus
    from lavendertown.demo.seeds import ShippedSeed


@dataclass(frozen=True)
class SeedLine:
    """The status of a seed: pending, ran (now), done (earlier) or changed (done, then edited)."""

    name: str
    about: str
    file: str
    state: str
    applied_at: dt.datetime | None = None


@click.command()
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only this seed, function or file; can be repeated."
)
@click.option("--dry-run", is_flag=True, help="Show what would run; change nothing.")
@click.option("--list", "listing", is_flag=True, help="List all seeds and when they ran; change nothing.")
@url_option
@json_option
def seed_command(only: tuple[str, ...], dry_run: bool, listing: bool, url: str | None, as_json: bool) -> None:
    """Run the project's pending seeds: the functions seed_*(db) in migrations/seed/*.py.

    Files run in the order of their leading number and name, functions in the order of their definition.
    Each seed runs once, in a transaction. LavenderTown's own seeds, demo and starter_rulesets, run only if
    named with --only; they also work with file storage.

    \b
    Example:
      lavendertown db seed --dry-run
      lavendertown db seed
      lavendertown db seed --only starter_rulesets
    """
    from lavendertown.demo.seeds import SHIPPED_SEEDS

    settings = load_settings()
    project_seeds = _find_project_seeds(settings.root or Path.cwd())
    shipped: Sequence[ShippedSeed] = SHIPPED_SEEDS if listing else ()
    if only:
        project_seeds, shipped = _choose_seeds(only, project_seeds, SHIPPED_SEEDS)
    uses_files = url is None and settings.storage_type == "file"
    lines = _process_seeds(
        project_seeds,
        shipped,
        url or settings.database_url,
        uses_files,
        inspect_only=dry_run or listing,
    )
    if listing and not as_json:
        rows = [(line.name, line.state, line.applied_at, line.file or "-", line.about) for line in lines]
        print_table(("seed", "state", "when", "file", "what it does"), rows, _no_seeds_message())
    else:
        _print_lines(lines, as_json)


def _find_project_seeds(root: Path) -> list[Seed]:
    """Return the project's seeds; import no database library if there are none."""
    if not any((root / "migrations" / "seed").glob("*.py")):
        return []
    with database_libraries():
        from lavendertown.database import seeds
    return seeds.find_seeds(root)


def _choose_seeds(
    only: Iterable[str], project_seeds: Sequence[Seed], shipped: Sequence[ShippedSeed]
) -> tuple[list[Seed], list[ShippedSeed]]:
    """Return the seeds selected with ``--only``, in the order in which they run."""
    names = {each.name for each in project_seeds} | {each.name for each in shipped}
    chosen: set[str] = set()
    for word in only:
        matches = {word} & names or {each.name for each in project_seeds if word in _accepted_names(each)}
        functions = {name for name in matches if name.endswith((f".{word}", f".seed_{word}"))}
        if not matches or len(functions) > 1:
            problem = f"There is no seed {word!r}"
            if matches:
                problem = f"{word!r} is ambiguous: {_join_names(functions)}"
            raise click.UsageError(f"{problem}. Choose with --only: {_join_names(names)}.")
        chosen |= matches
    return [each for each in project_seeds if each.name in chosen], [
        each for each in shipped if each.name in chosen
    ]


def _accepted_names(seed: Seed) -> set[str]:
    file, function = seed.name.rsplit(".", 1)
    path = Path(seed.file)
    return {function, function.removeprefix("seed_"), file, path.stem, path.name, seed.file}


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _process_seeds(
    project_seeds: Sequence[Seed],
    shipped: Sequence[ShippedSeed],
    url: str,
    uses_files: bool,
    *,
    inspect_only: bool,
) -> Iterator[SeedLine]:
    """Run or inspect the seeds in the database or in the files; yield the status of each."""
    database_seeds = list(project_seeds)
    if shipped and not uses_files:
        from lavendertown.demo.seeds import to_database_seed

        database_seeds += map(to_database_seed, shipped)
    if database_seeds:
        from lavendertown.database import seeds

        process = seeds.inspect_seeds if inspect_only else seeds.run_seeds
        yield from map(_seed_line, process(database_seeds, url))
    if shipped and uses_files:
        yield from _process_file_seeds(shipped, inspect_only)


def _seed_line(status: SeedStatus) -> SeedLine:
    seed = status.seed
    return SeedLine(seed.name, seed.about, seed.file, status.state.value, status.applied_at)


def _process_file_seeds(shipped: Sequence[ShippedSeed], inspect_only: bool) -> Iterator[SeedLine]:
    """Run or inspect seeds on files. Files have no ledger of seeds; the records show which ones ran."""
    with open_storage() as storage:
        for each in shipped:
            if inspect_only:
                state = "done" if each.is_applied_to(storage) else "pending"
            else:
                state = "ran" if each.apply_to(storage) else "done"
            yield SeedLine(each.name, each.about, "", state)


def _print_lines(lines: Iterator[SeedLine], as_json: bool) -> None:
    """Print each line at once; if a later seed fails, the earlier ones are not rolled back."""
    printed: list[SeedLine] = []
    try:
        for line in lines:
            printed.append(line)
            if not as_json:
                click.echo(_describe_line(line))
    except LavenderTownError:
        if as_json and printed:
            print_json([asdict(line) for line in printed])
        raise
    if as_json:
        print_json([asdict(line) for line in printed])
    elif not printed:
        click.echo(_no_seeds_message())


def _describe_line(line: SeedLine) -> str:
    applied = f" on {format_cell(line.applied_at)}" if line.applied_at else ""
    name = f"{line.name}{f' ({line.file})' if line.file else ''}"
    return {
        "pending": f"Would run {name}.",
        "ran": f"Ran {name}.",
        "done": f"Ran before{applied}: {name}.",
        "changed": f"Ran before{applied}; changed since, not run again: {name}.",
    }[line.state]


def _no_seeds_message() -> str:
    return (
        "There are no seeds in migrations/seed. LavenderTown has the seeds demo and starter_rulesets; to run "
        "one: lavendertown db seed --only starter_rulesets"
    )
