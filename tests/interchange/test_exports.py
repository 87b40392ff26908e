"""Each format of exported findings, read back by the library that people use for it."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import polars as pl
import pytest
from markdown_it import MarkdownIt

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.interchange import read_runs
from lavendertown.interchange.exports import ExportContent, ExportedFinding, html_page, tables
from lavendertown.interchange.exports.formats import EXPORT_FORMATS, find_export_format
from lavendertown.profile.evidence import FindingSamples, SampleRow, ValueCount

NOON = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
FORMULAS = ("=1+1", "+cmd", "-2+3", "@x", '=HYPERLINK("http://evil.example")')


def exported(**changes: Any) -> ExportedFinding:
    thread = {
        "id": "a1",
        "author": "Ben",
        "timestamp": NOON,
        "comment": "Asked the supplier",
        "tags": ["supplier"],
        "status": "fixed",
    }
    values: dict[str, Any] = {
        "finding_id": "f1-1",
        "report_id": "r1",
        "dataset": "orders",
        "ghost_type": "null",
        "column": "email",
        "severity": "warning",
        "description": "email is empty in 2 of 4 rows (50%).",
        "metadata": {"check": "nulls", "params": {}},
        "row_count": 2,
        "share": 0.5,
        "status": "fixed",
        "tags": ("supplier", "weekly"),
        "assignee": "Ana",
        "close_reason": "Mended in the loader",
        "due_at": NOON + dt.timedelta(days=2),
        "first_seen": NOON,
        "last_seen": NOON,
        "times_seen": 3,
        "annotations": (thread,),
        "samples": FindingSamples("email", [SampleRow(3, {"id": 7, "email": None})]),
        "first_row": 2,
    }
    return ExportedFinding(**(values | changes))


def content(*findings: ExportedFinding, title: str = "Week 12") -> ExportContent:
    return ExportContent(title, NOON, findings)


def write(name: str, *findings: ExportedFinding, title: str = "Week 12") -> bytes:
    return find_export_format(name).write(content(*findings, title=title))


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize("each", EXPORT_FORMATS, ids=lambda each: each.name)
def test_an_empty_list_is_written_in_every_format(each: Any) -> None:
    data = each.write(content())
    match each.name:
        case "csv":
            assert read_csv(data) == []
        case "excel":
            book = openpyxl.load_workbook(io.BytesIO(data))
            assert [sheet.max_row for sheet in book] == [1] * len(book.sheetnames)
        case "parquet":
            frame = pl.read_parquet(io.BytesIO(data))
            assert (frame.height, tuple(frame.columns)) == (0, tables.COLUMNS)
        case "json":
            assert json.loads(data)["inbox"] == []
        case "sarif":
            assert json.loads(data)["runs"] == []
        case _:
            assert b"No findings." in data


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="'pdf' is unknown; use one of json, csv"):
        find_export_format("pdf")


def test_csv_has_a_row_a_finding_with_its_triage_and_thread() -> None:
    (row,) = read_csv(write("csv", exported()))
    assert tuple(row) == tables.COLUMNS
    assert (row["status"], row["tags"], row["assignee"]) == ("fixed", "supplier, weekly", "Ana")
    assert row["due_at"] == "2026-03-06T12:00:00+00:00"
    assert row["thread"] == "Ben, 2026-03-04 12:00 UTC: -> Fixed #supplier Asked the supplier"


@pytest.mark.parametrize("formula", FORMULAS)
def test_csv_has_no_formula(formula: str) -> None:
    (row,) = read_csv(write("csv", exported(description=formula, assignee=formula)))
    assert row["description"] == row["assignee"] == f"'{formula}"


def open_excel(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


@pytest.mark.parametrize("formula", FORMULAS)
def test_excel_has_formulas_as_text_exactly(formula: str) -> None:
    samples = FindingSamples("email", [SampleRow(0, {"id": formula})])
    finding = exported(description=formula, tags=(formula,), close_reason=formula, samples=samples)
    book = open_excel(write("excel", finding))
    header, row = book["Findings"].iter_rows()
    cells = dict(zip([cell.value for cell in header], row, strict=True))
    for name in ("description", "tags", "close_reason"):
        assert (cells[name].value, cells[name].data_type) == (formula, "s")
    sample = book["Samples"].cell(2, 1 + tables.SAMPLE_COLUMNS.index("value"))
    assert (sample.value, sample.data_type) == (formula, "s")
    assert sample.hyperlink is None


def test_excel_has_numbers_and_times_as_such() -> None:
    book = open_excel(write("excel", exported()))
    header, row = book["Findings"].iter_rows(values_only=True)
    cells = dict(zip(header, row, strict=True))
    assert (cells["row_count"], cells["share"], cells["times_seen"]) == (2, 0.5, 3)
    assert cells["due_at"] == dt.datetime(2026, 3, 6, 12)
    assert cells["thread"].endswith("Asked the supplier")


def test_excel_has_the_samples_with_the_row_numbers_of_the_source() -> None:
    rows = list(open_excel(write("excel", exported()))["Samples"].iter_rows(values_only=True))
    assert rows[0] == tables.SAMPLE_COLUMNS
    assert [row[3:] for row in rows[1:]] == [(5, "id", 7, False), (5, "email", None, True)]


def test_excel_cuts_a_text_that_no_cell_can_hold() -> None:
    book = open_excel(write("excel", exported(description="x" * 40_000)))
    text = book["Findings"].cell(2, 1 + tables.COLUMNS.index("description")).value
    assert (len(text), text[-1]) == (tables.MAX_EXCEL_TEXT, "…")


def test_excel_refuses_more_rows_than_a_sheet_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_EXCEL_ROWS", 2)
    with pytest.raises(InvalidInputError, match="cannot have 4 rows; filter the findings"):
        write("excel", exported(), exported())


def test_parquet_is_read_back_with_its_types() -> None:
    unknown = exported(row_count=None, share=None, due_at=None, tags=(), description="=1+1")
    frame = pl.read_parquet(io.BytesIO(write("parquet", exported(), unknown)))
    assert tuple(frame.columns) == tables.COLUMNS
    first, second = frame.to_dicts()
    assert first["tags"] == ["supplier", "weekly"]
    assert first["due_at"] == NOON + dt.timedelta(days=2)
    assert (second["row_count"], second["share"], second["due_at"], second["tags"]) == (None, None, None, [])
    assert second["description"] == "=1+1"


def test_json_of_a_list_is_not_taken_for_a_report() -> None:
    data = json.loads(write("json", exported()))
    assert sorted(data) == ["exported_at", "inbox", "title"]
    (row,) = data["inbox"]
    assert (row["finding_id"], row["annotations"][0]["comment"]) == ("f1-1", "Asked the supplier")
    assert row["samples"]["rows"] == [{"position": 3, "values": {"id": 7, "email": None}}]


def test_markdown_is_a_table_with_the_most_severe_first() -> None:
    info, error = exported(severity="info"), exported(severity="error", status="open", column="*")
    text = write("markdown", info, error).decode()
    assert text.startswith("### Week 12\n\n2 findings: 1 error, 1 info; 1 open.\n")
    assert [line.split(" | ")[:3] for line in text.splitlines()[6:8]] == [
        ["| error", "Open", "whole row"],
        ["| info", "Fixed", "email"],
    ]
    assert "2 \\(50%\\)" in text


def test_markdown_of_many_findings_is_short_and_says_so() -> None:
    text = write("markdown", *[exported() for _ in range(60)]).decode()
    assert text.count("| warning |") == 50
    assert "The first 50 of 60 are shown." in text


HOSTILE = (
    "<script>alert(1)</script> | [x](http://evil.example) ![i](http://evil.example/i.png)\n# no heading "
    "**b** `c` ~~s~~ @octocat www.evil.example https://evil.example #12 :smile: <!-- --> &lt; \\| $x$"
)


def test_html_escapes_every_text() -> None:
    finding = exported(description=HOSTILE, column=HOSTILE, assignee=HOSTILE, dataset=HOSTILE)
    page = write("html", finding, title=HOSTILE).decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4


def test_markdown_shows_hostile_text_as_text() -> None:
    finding = exported(description=HOSTILE, column=HOSTILE, assignee=HOSTILE)
    text = write("markdown", finding, title=HOSTILE).decode()
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    body = rendered.replace("<!-- -->", "")
    assert body.count("<tr>") == 2
    assert body.count("<td") == 6
    for element in ("<script", "<a ", "<img", "<strong", "<code", "<s>", "<h1"):
        assert element not in body
    # GitHub looks for these in parsed text: an empty comment is in each of them.
    for reference in ("@octocat", "www.evil", "https://", "#12", ":smile:"):
        assert reference not in rendered.replace("\\", "")
    assert "@octocat www.evil.example https://evil.example #12 :smile:" in body


def test_no_data_of_a_chart_ends_its_script_element() -> None:
    counted = [ValueCount("</script><!--\u2028&", 3), ValueCount("b", 2)]
    page = write("html", exported(samples=FindingSamples("email", [], counted))).decode()
    _, _, rest = page.partition('<script type="application/json" id="figures">')
    data, _, _ = rest.partition("</script>")
    assert not set(data) & set("<>&\u2028")
    values = json.loads(data)[1]["data"][0]["customdata"]
    assert values == ["&lt;/script&gt;&lt;!--\u2028&amp;", "b"]


def test_the_policy_of_the_page_names_its_two_scripts() -> None:
    page = write("html", exported()).decode()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    assert len(scripts) == 2
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}'; ")


def test_the_page_has_the_details_of_the_most_severe_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_page, "MAX_DETAILS", 1)
    page = write("html", exported(severity="info"), exported(severity="error")).decode()
    assert page.count('<section class="finding"') == 1
    assert "The first 1 of 2 findings are shown with their evidence." in page


SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0.json"
# The parts of the schema of SARIF 2.1.0 (errata 01) that an export uses; each object has no other property.
TEXT = {"type": "string"}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "uniqueItems": True}


LEVEL = {"enum": ["none", "note", "warning", "error"]}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
BAG = {"type": "object", "properties": {"tags": array(TEXT)}}
MESSAGE = closed(["text"], text=TEXT)
RULE = closed(
    ["id"],
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    defaultConfiguration=closed([], level=LEVEL),
)
ARTIFACT = closed([], uri={"type": "string", "format": "uri-reference", "pattern": "^[^ ]+$"})
LOCATION = closed(
    [],
    physicalLocation=closed([], artifactLocation=ARTIFACT),
    logicalLocations=array(closed([], name=TEXT, kind=TEXT)),
)
SUPPRESSION = closed(
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=TEXT,
)
RESULT = closed(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    message=MESSAGE,
    locations=array(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=array(SUPPRESSION),
    properties=BAG,
)
RUN = closed(
    ["tool"],
    tool=closed(["driver"], driver=closed(["name"], name=TEXT, version=TEXT, rules=array(RULE))),
    automationDetails=closed([], id=TEXT),
    invocations=array(
        closed(["executionSuccessful"], executionSuccessful={"type": "boolean"}, endTimeUtc=TIME)
    ),
    results={"type": "array", "items": RESULT},
    properties=BAG,
)
SARIF = closed(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
)


def test_sarif_has_the_structure_of_its_schema() -> None:
    spaced = exported(dataset="my orders/2026", column="*", status="open", metadata={}, tags=("a", "a"))
    data = json.loads(write("sarif", exported(), spaced))
    jsonschema.validate(data, SARIF, cls=jsonschema.Draft7Validator)
    assert data["runs"][1]["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20orders%2F2026"}
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dataset": "my orders/2026", "column": "*", "status": "open", "metadata": {}, "tags": ("a", "a")},
        {"close_reason": "", "annotations": ()},
        {"status": "needs-investigation", "severity": "info"},
        {"dataset": "", "column": "", "description": "", "severity": "error"},
    ],
)
def test_sarif_validates_against_the_published_schema(changes: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8-sig"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    data = json.loads(write("sarif", exported(), exported(**changes)))
    assert [each.message for each in validator.iter_errors(data)] == []
    data["runs"][0]["results"][0]["suppressions"] = [{"kind": "external", "state": "accepted"}]
    assert len(list(validator.iter_errors(data))) == 1


def test_sarif_has_closed_findings_as_suppressions_with_their_reason() -> None:
    without_reason = exported(close_reason="", annotations=())
    open_finding = exported(status="needs-investigation", severity="info")
    results = json.loads(write("sarif", exported(), without_reason, open_finding))["runs"][0]["results"]
    accepted = {"kind": "external", "status": "accepted"}
    assert [each["suppressions"] for each in results] == [
        [accepted | {"justification": "Mended in the loader"}],
        [accepted | {"justification": "Fixed"}],
        [],
    ]
    assert [each["level"] for each in results] == ["warning", "warning", "note"]


def test_sarif_has_no_sample_values() -> None:
    samples = FindingSamples("email", [SampleRow(3, {"email": "ana@example.org"})])
    assert b"ana@example.org" not in write("sarif", exported(samples=samples))


def read_sarif(data: bytes) -> list[Any]:
    return [each.run for each in read_runs([(io.BytesIO(data), "log.sarif")])]


def test_sarif_without_property_bags_keeps_the_ids_of_findings() -> None:
    finding_id = f"f1-{'ab' * 16}"
    log = json.loads(write("sarif", exported(finding_id=finding_id)))
    for run in log["runs"]:
        del run["properties"]
        for result in run["results"]:
            del result["properties"]
    (run,) = read_sarif(json.dumps(log).encode())
    (finding,) = run.findings
    assert compute_fingerprint(finding, run.dataset) == finding_id
    assert (run.dataset, finding.ghost_type, finding.column) == ("orders", "null", "email")
