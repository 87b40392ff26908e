"""Broken and hostile files: one sentence with the file and the place, and bounded memory."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest

from lavendertown.core.errors import FileLimitError
from lavendertown.core.file_limits import FileLimits
from lavendertown.interchange import ImportFileError, read_runs, runs
from lavendertown.interchange.mapping import ResultMapping, read_mapped_runs
from lavendertown.tables import read_table

ROOT = Path(__file__).parents[2]
BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><testsuites>&c;</testsuites>'
START = b'{"metadata": {"dbt_schema_version": "x/dbt/run-results/v6.json"},\n"results": ['


def refusal(content: bytes, name: str = "results.json") -> str:
    with pytest.raises(ImportFileError) as refused:
        read_runs([(io.BytesIO(content), name)])
    text = str(refused.value)
    assert "\n" not in text
    assert name in text
    return text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"hello", "no known format"),
        (b"{}", "no known format"),
        (b'{"id": 1}', "no known format"),
        (START, "ends in the middle of a value in line 2"),
        (START + b'{"unique_id": tru}]}', "is not valid JSON in line 2"),
        (START + b"[" * 5000, "nested more than 60 times"),
        (START + b'{"unique_id": "test.\xe9t\xe9.x"}]}', "is not UTF-8 text in line 2"),
        (BOMB, "declares a document type or entities"),
        (b"<testsuites><testsuite>", "is not valid XML in line 1"),
        (b"<testsuites>" + b"<testsuite>" * 100, "nested more than 60 times"),
        (b"\x1f\x8b\x08broken", "is damaged or incomplete"),
        (gzip.compress(START, mtime=0)[:-9], "is damaged or incomplete"),
        (b"PK\x03\x04broken", "damaged or encrypted zip"),
        (b"check,schema_context,failure_case\n\xff\xfe,a,b\n", "in UTF-8"),
    ],
)
def test_broken_file_is_one_sentence(content: bytes, expected: str) -> None:
    assert expected in refusal(content)


def test_extreme_numbers_are_no_counts() -> None:
    # The parser crashes on numbers that Python refuses to convert, so they must not reach it.
    for number in (
        b"9" * 6000,
        b"1e9999",
        b"1e99999999999999999999",
        b"-5",
        b"123456789012345678901234567890",
    ):
        content = (
            START + b'{"unique_id": "test.a.not_null_b.c", "status": "fail", "failures": ' + number + b"}]}"
        )
        (found,) = read_runs([(io.BytesIO(content), "results.json")])
        assert found.run.findings[0].metadata["count"] is None


@pytest.mark.parametrize("metrics", [b"3", b"true", b'{"a": 1}', b'"a"', b"null"])
def test_metrics_of_soda_that_are_no_list_are_left_out(metrics: bytes) -> None:
    check = b'{"name": "a", "definition": "a", "outcome": "fail", "table": "t", "metrics": %s}' % metrics
    content = b'{"definitionName": "d", "scanStartTimestamp": "", "checks": [%s]}' % check
    (found,) = read_runs([(io.BytesIO(content), "scan.json")])
    assert [each.column for each in found.run.findings] == ["*"]


def test_nul_characters_and_surrogates_are_replaced() -> None:
    content = START + b'{"unique_id": "test.a.\\u0000b\\ud800.c", "status": "fail"}]}'
    (found,) = read_runs([(io.BytesIO(content), "results.json")])
    assert found.run.findings[0].metadata["check"].isascii()


def test_unpacked_size_is_limited() -> None:
    packed = gzip.compress(b" " * 2_000_000)
    with pytest.raises(FileLimitError):
        read_runs([(io.BytesIO(packed), "results.gz")], limits=FileLimits(uncompressed_bytes=1_000_000))


INBOX = b'{"title": "Findings", "exported_at": "2026-11-20T10:00:00Z", "inbox": [%s]}'
EXPORTED = b'"ghost_type": "null", "column": "email", "severity": "error", "description": "2 rows have none"'


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b"3", "Finding 1 of results.json is not an object"),
        (b"{}", "Finding 1 of results.json is invalid"),
        (b'{%s, "samples": {"rows": [{}]}}' % EXPORTED, "The samples of a finding in results.json"),
        (b'{%s, "samples": "many"}' % EXPORTED, "The samples of a finding in results.json"),
        (b'{%s, "metadata": ["a"]}' % EXPORTED, "The metadata of this finding is not an object"),
        (b'{%s, "row_indices": 1e308}' % EXPORTED, "The row_indices of this finding are not a list"),
        (b'{%s, "column": ["a"]}' % EXPORTED, "The column of this finding is ['a'], not text"),
        (b'{%s, "description": 3}' % EXPORTED, "The description of this finding is 3, not text"),
        (b'{%s, "severity": "%s"}' % (EXPORTED, b"a" * 5000), "The severity 'aaaaaaaaaaaa...aaaaaaaaaaaaa'"),
    ],
)
def test_broken_list_of_findings_is_one_sentence(row: bytes, expected: str) -> None:
    assert expected in refusal(INBOX % row)


def test_a_check_of_a_finding_that_is_no_text_is_read_as_text() -> None:
    finding = b'{%s, "metadata": {"check": ["a"], "check_id": {"b": 1}}}' % EXPORTED
    (found,) = read_runs([(io.BytesIO(b"[%s]" % finding), "findings.json")])
    (check,) = found.run.coverage()["ran"]
    assert (check["check"], check["check_id"]) == ("['a']", "{'b': 1}")


def test_number_of_checks_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = b"".join(b'<testcase name="t%d"/>' % number for number in range(runs.MAX_CHECKS))
    report = b"<testsuite>%s</testsuite>"
    (read,) = read_runs([(io.BytesIO(report % cases), "results.xml")])
    assert len(read.run.passed) == runs.MAX_CHECKS
    more = refusal(report % (cases + b'<testcase name="one more"/>'), "results.xml")
    assert "results.xml lists more than 100,000 checks" in more
    # Also if they are spread over several runs, and in a table with a mapping.
    monkeypatch.setattr(runs, "MAX_CHECKS", 2)
    log = b'{"version": "2.1.0", "$schema": "sarif", "runs": [%s]}'
    results = b'{"results": [{"ruleId": "a", "message": {}}, {"ruleId": "b", "message": {}}]}'
    assert "lists more than 2 checks" in refusal(log % (results + b"," + results))
    table = read_table(b"check,status\na,passed\nb,passed\nc,failed\n", "checks.csv")
    mapping = ResultMapping({"check": "check", "status": "status"})
    with pytest.raises(ImportFileError, match=r"^checks\.csv lists more than 2 checks"):
        read_mapped_runs(table, mapping, file_name="checks.csv", digest="0", dataset="shop")
    # What LavenderTown wrote itself stays readable.
    (own,) = read_runs([(io.BytesIO(b"[%s]" % b", ".join([b"{%s}" % EXPORTED] * 3)), "findings.json")])
    assert len(own.run.findings) == 3


def test_named_format_must_match() -> None:
    with pytest.raises(ImportFileError, match=r"is not .* of a Soda scan"):
        read_runs([(io.BytesIO(START + b"]}"), "results.json")], format_name="soda")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    script = tmp_path / "measure.py"
    script.write_text(
        f"import io, resource, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from lavendertown.interchange import read_runs\n"
        "path = 'run_results.json'\n"
        "with open(path, 'wb') as file:\n"
        f"    file.write({START!r})\n"
        "    for n in range(10_000):\n"
        '        file.write(b\',\' * (n > 0) + b\'{"unique_id": "test.a.not_null_b_%d.c", "status": "fail", '
        '"failures": 3, "compiled_code": "%s"}\' % (n, b"select 1 " * 300))\n'
        "    file.write(b']}')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with open(path, 'rb') as file:\n"
        "    assert len(read_runs([(file, path)])[0].run.findings) == 10_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=True
    )
    assert int(done.stdout) < 60_000, "KiB for a file of 27 MB"
