"""``lavendertown db seed``: first rows, each seed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lavendertown.cli.db import url_option
from lavendertown.cli.options import json_option, storage
from lavendertown.cli.output import cell, print_json, print_table
from lavendertown.config import load_settings
from lavendertown.errors import LavenderTownError

if TYPE_CHECKING:
    from lavendertown.database.seeds import Outcome, Seed
    from lavendertown.demo.seeds import Shipped


@dataclass(frozen=True)
class Line:
    """What is said of one seed; its state is pending, ran, done (earlier) or changed (since it was done)."""

    name: str
    about: str
    file: str
    state: str
    applied_at: dt.datetime | None = None


@click.command()
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only this seed, function or file; repeat for more."
)
@click.option("--dry-run", is_flag=True, help="Say what would run, and change nothing.")
@click.option("--list", "listing", is_flag=True, help="List all seeds and when they ran; change nothing.")
@url_option
@json_option
def seed(only: tuple[str, ...], dry_run: bool, listing: bool, url: str | None, as_json: bool) -> None:
    """Run the project's seeds that did not run yet: the functions seed_*(db) in migrations/seed/*.py.

    Files go by their leading number and name, functions as they stand. Each is one transaction and runs
    once. LavenderTown ships demo and starter_rulesets, which run only where they are named; they work
    on plain files as well.

    \b
    Example:
      lavendertown db seed --dry-run
      lavendertown db seed
      lavendertown db seed --only starter_rulesets
    """
    from lavendertown.demo.seeds import SHIPPED

    settings = load_settings()
    own = _own(settings.root or Path.cwd())
    shipped: Sequence[Shipped] = SHIPPED if listing else ()
    if only:
        own, shipped = _choose(only, own, SHIPPED)
    on_files = url is None and settings.storage_type == "file"
    lines = _lines(own, shipped, url or settings.database_url, on_files, look=dry_run or listing)
    if listing and not as_json:
        rows = [(line.name, line.state, line.applied_at, line.file or "-", line.about) for line in lines]
        print_table(("seed", "state", "when", "file", "what it does"), rows, _nothing())
    else:
        _tell(lines, as_json)


def _own(root: Path) -> list[Seed]:
    """Return the project's seeds; without any, no database library is needed."""
    if not any((root / "migrations" / "seed").glob("*.py")):
        return []
    try:
        from lavendertown.database import seeds
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error
    return seeds.find(root)


def _choose(
    only: Iterable[str], own: Sequence[Seed], shipped: Sequence[Shipped]
) -> tuple[list[Seed], list[Shipped]]:
    """Return the seeds that are meant, in the order they run in."""
    names = {each.name for each in own} | {each.name for each in shipped}
    chosen: set[str] = set()
    for word in only:
        found = {word} & names or {each.name for each in own if word in _short(each)}
        functions = {name for name in found if name.endswith((f".{word}", f".seed_{word}"))}
        if not found or len(functions) > 1:
            what = f"There is no seed {word!r}" if not found else f"{word!r} may be any of {_and(functions)}"
            raise click.UsageError(f"{what}. Say one of these with --only: {_and(names)}.")
        chosen |= found
    return [each for each in own if each.name in chosen], [each for each in shipped if each.name in chosen]


def _short(seed: Seed) -> set[str]:
    file, function = seed.name.rsplit(".", 1)
    path = Path(seed.place)
    return {function, function.removeprefix("seed_"), file, path.stem, path.name, seed.place}


def _and(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _lines(
    own: Sequence[Seed], shipped: Sequence[Shipped], url: str, on_files: bool, *, look: bool
) -> Iterator[Line]:
    """Run the seeds, or only look at them, where they belong; yield what became of each."""
    in_database = list(own)
    if shipped and not on_files:
        from lavendertown.demo.seeds import on_database

        in_database += map(on_database, shipped)
    if in_database:
        from lavendertown.database import seeds

        found = seeds.look(in_database, url) if look else seeds.run(in_database, url)
        yield from map(_line, found)
    if shipped and on_files:
        yield from _on_files(shipped, look)


def _line(found: Outcome) -> Line:
    seed = found.seed
    return Line(seed.name, seed.about, seed.place, found.state.value, found.applied_at)


def _on_files(shipped: Sequence[Shipped], look: bool) -> Iterator[Line]:
    """Plain files have no ledger: what is there says which seeds ran."""
    with storage() as opened:
        for each in shipped:
            if look:
                state = "done" if each.is_there(opened) else "pending"
            else:
                state = "ran" if each.fill(opened) else "done"
            yield Line(each.name, each.about, "", state)


def _tell(lines: Iterator[Line], as_json: bool) -> None:
    """Say what became of each seed at once: what ran stays, though a later one fails."""
    said: list[Line] = []
    try:
        for line in lines:
            said.append(line)
            if not as_json:
                click.echo(_sentence(line))
    except LavenderTownError:
        if as_json and said:
            print_json([asdict(line) for line in said])
        raise
    if as_json:
        print_json([asdict(line) for line in said])
    elif not said:
        click.echo(_nothing())


def _sentence(line: Line) -> str:
    when = f" on {cell(line.applied_at)}" if line.applied_at else ""
    name = f"{line.name}{f' ({line.file})' if line.file else ''}"
    return {
        "pending": f"Would run {name}.",
        "ran": f"Ran {name}.",
        "done": f"Ran before{when}: {name}.",
        "changed": f"Ran before{when}, was changed since and is not run again: {name}.",
    }[line.state]


def _nothing() -> str:
    return (
        "There are no seeds in migrations/seed. LavenderTown ships demo and starter_rulesets; run one with: "
        "lavendertown db seed --only starter_rulesets"
    )
