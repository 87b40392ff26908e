"""Values of masked columns are in no file, table, export, answer or log, after every command that stores."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.mcp.mount import mount_mcp
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from tests.contract.store_locations import StoreLocation
from tests.support.mcp import McpClient, no_running_loop
from tests.support.rpc import post, start_rpc

MASK = "e-mail,*name,iban,lat"
MASKED_VALUE = re.compile(
    rb"zqmail|zqana|zqben|zqtotal|zq0{8}|zqiban|(?<!\w)31\.7[0-9]{2}|(?<![\w.])317[0-9]{3}(?!\w)",
    re.IGNORECASE,
)
SERVICE = "lavendertown.v1.CollaborationService"
FORMATS = ("json", "csv", "xlsx", "parquet", "md", "html", "sarif", "bundle.zip")
RESULTS = {
    "success": False,
    "results": [
        {
            "success": False,
            "expectation_config": {
                "type": "expect_compound_columns_to_be_unique",
                "kwargs": {"column_list": ["e-mail", "joined"]},
            },
            "result": {
                "element_count": 9,
                "unexpected_count": 2,
                "partial_unexpected_list": [{"e-mail": "zqmail7@x.example", "joined": "2025-04-01"}] * 2,
                "partial_unexpected_counts": [{"value": "zqmail7@x.example, 2025-04-01", "count": 2}],
            },
        }
    ],
}


def write_delivery(path: Path, month: int) -> None:
    """Write customers whose masked values have 'zq' or 317: faulty, missing, repeated and other."""
    lines = ["Customers, all shops", "", "id;e-mail;Full Name;iban;lat;lon;age;joined"]
    for n in range(200):
        mail = f"zqmail{n}@x.example" if n % 9 else f"zqmail{n} at x"
        name = ("ZQana Lima", "zqana lima", "ZQana  Lima ", "ZQben Ode")[n % 23 % 4] if n % 8 else ""
        iban = f"ZQ{n:018}" if n % 31 else f"zqiban-{n}"
        lat = f"31.7{n:03}" if n % 40 else f"317{n:03}"
        lines.append(
            f"{n + month * (n == 7)};{mail};{name};{iban};{lat};7.{n:03};{n % 60 + 18 + 900 * (n == 5)}"
            f";2025-0{month}-{n % 28 + 1:02}"
        )
    lines += [lines[20], lines[20], "total;zqtotal;;;;;;"]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def find_values(content: bytes, name: str) -> list[str]:
    """Return where a masked value is in a file, or in the files of an archive."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [(archive.read(each), f"{name}/{each}") for each in archive.namelist()]
        return [found for each in inside for found in find_values(*each)]
    if name.endswith(".parquet"):
        content = pl.read_parquet(io.BytesIO(content)).write_json().encode()
    if name.endswith(".html"):
        content = re.sub(rb"<script>.*?</script>", b"", content, flags=re.DOTALL)
    places = [each.start() for each in MASKED_VALUE.finditer(content)]
    return [f"{name}: {content[max(place - 80, 0) : place + 40]!r}" for place in places]


def test_values_of_masked_columns_are_nowhere(
    place: StoreLocation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    inputs, outputs, data = tmp_path / "in", tmp_path / "out", tmp_path / "data"
    if place.backend == "file":
        data = Path(place.where)
    else:
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
        monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", place.where)
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(data))
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", MASK)
    inputs.mkdir()
    outputs.mkdir()

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, prog_name="lavendertown")
        assert result.exit_code == 0, result.stderr
        return result.stdout

    save = ("--save", "--author", "Ana", "--key", "e-mail", "--json")
    for month in (4, 5):
        file = inputs / f"customers-0{month}.csv"
        write_delivery(file, month)
        saved = json.loads(run("analyze", str(file), *save, "--compare-to", "latest"))
    assert MASKED_VALUE.search(json.dumps(saved).encode()), "the analysis itself shows the values"
    (inputs / "results.json").write_text(json.dumps(RESULTS), "utf-8")
    run("import", str(inputs / "results.json"), "--dataset", "tool", "--author", "Ana")
    report = saved["report_id"]
    for ending in FORMATS:
        run("export", "--report", report, "-o", str(outputs / f"report.{ending}"))
        if ending != "bundle.zip":
            run("export", "-o", str(outputs / f"inbox.{ending}"))
    run("db", "backup", "--archive", "--to", str(outputs / "backups"))
    if place.backend != "file":
        run("db", "export", str(outputs / "tables.zip"))
    run("migrate", "--from", place.where, "--to", str(outputs / "copy"), "--author", "Ana")
    ids = [each["finding_id"] for each in saved["findings"]]
    answers = {"log": caplog.text, "audit": run("audit", "--json"), "show": run("report", "show", report)}
    storage, token = place.open_storage(), TokenStore(data).create_token("bot", Role.WRITER)[0]
    server = start_rpc(mount_mcp(build_team_app(lambda: storage), lambda: storage))
    try:
        with no_running_loop():
            agent = McpClient(f"{server.url}/mcp", token)
            answers["mcp"] = str([agent.call("read_finding", finding_id=each) for each in ids])
        bearer = ("-H", f"Authorization: Bearer {token}")
        requests = {"GetReport": {"id": report}, "GetEvidence": {"reportId": report}, "QueryFindings": {}}
        answers |= {
            name: str(post(server, f"{SERVICE}/{name}", body, *bearer)) for name, body in requests.items()
        }
    finally:
        server.stop()
        storage.close()
    unmasked = [
        name for name in ("show", "mcp", "GetReport", "QueryFindings") if "are masked" not in answers[name]
    ]
    assert unmasked == [], {name: answers[name][:300] for name in unmasked}
    files = [each for each in tmp_path.rglob("*") if each.is_file() and inputs not in each.parents]
    found = [each for file in files for each in find_values(file.read_bytes(), file.name)]
    assert found + [each for name, text in answers.items() for each in find_values(text.encode(), name)] == []
