"""Several processes on one store: nothing is lost, and nobody sees half a change."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from lavendertown.collaboration.storage import Storage, get_finding_id
from tests.contract.builders import annotation, finding, report

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]


def run(workers: list[subprocess.Popen[str]]) -> list[list[str]]:
    """Let all workers start at once; return what each acknowledged."""
    for worker in workers:
        assert worker.stdout is not None
        line = worker.stdout.readline()
        assert line == "ready\n", worker.communicate()[1]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = []
    for worker in workers:
        out, err = worker.communicate(timeout=110)
        assert worker.returncode == 0, err
        said.append(out.split())
    return said


def test_8_processes_with_50_annotations_each_keep_400(storage: Storage, start: Start) -> None:
    storage.save_report(report())
    finding_id = get_finding_id(finding())
    said = run([start("annotate", f"w{n}", 50, finding_id) for n in range(8)])
    notes = storage.get_annotations(finding_id)
    assert len(notes) == 400
    assert sorted(note.id for note in notes) == sorted(line for lines in said for line in lines)
    assert len(storage.audit_log(component="annotation", limit=None)) == 400
    (row,) = storage.query_findings()
    assert (row["comment_count"], len(row["tags"])) == (400, 8)


def test_read_modify_write_with_versions_loses_nothing(storage: Storage, start: Start) -> None:
    storage.save_report(report("counter", metadata={"n": 0}))
    run([start("increment", "counter", 15) for _ in range(4)])
    assert storage.reports.load_metadata("counter") == {"n": 60}
    loaded = storage.load_report("counter")
    assert loaded is not None
    assert loaded.version == 61


def test_writers_of_the_same_findings_do_not_stand_in_each_others_way(storage: Storage, start: Start) -> None:
    run([start("sweep", f"w{n}", 10) for n in range(4)])
    rows = storage.query_findings(limit=None)
    assert len(rows) == 480
    assert {row["times_seen"] for row in rows} == {40}


def test_a_reader_sees_whole_states_only(storage: Storage, start: Start) -> None:
    storage.save_report(report("r1", [], title="0"))
    run([start("resize", "r1", 120), start("watch", "r1", 200)])


@pytest.mark.parametrize("count", [2, 6])
def test_processes_that_open_a_fresh_store_together_all_succeed(
    place: object, start: Start, count: int
) -> None:
    said = run([start("open_and_save", f"r{n}") for n in range(count)])
    assert said == [[f"r{n}"] for n in range(count)]
    storage = place.open_storage()  # type: ignore[attr-defined]
    assert storage.count_reports() == count
    assert len(storage.get_annotations("finding_123")) == count
    assert {row["times_seen"] for row in storage.query_findings()} == {count}
    assert storage.unreadable_items() == []
    storage.close()


def test_threads_of_one_handle_lose_nothing(storage: Storage) -> None:
    from concurrent.futures import ThreadPoolExecutor

    storage.save_report(report())

    def work(number: int) -> int:
        storage.save_annotation(annotation(id=f"t{number}", tags=[f"t{number % 3}"]))
        return len(storage.query_reports(tags=f"t{number % 3}"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(80))) == [1] * 80
    assert len(storage.get_annotations(get_finding_id(finding()))) == 80
