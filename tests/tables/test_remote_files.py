"""Files on web servers and in object stores, read through DuckDB's extension httpfs."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import io
import ipaddress
import ssl
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables.sources.remote_files import describe_remote_url, is_remote_url, read_remote_table
from tests.support.file_server import serve_files

ORDERS = b"id;amount\n1;1,5\n2;\n3;2,5\n"


@functools.cache
def missing_extension() -> str:
    """The reason why DuckDB cannot fetch files here; empty if it can."""
    try:
        import duckdb
    except ImportError:
        return "duckdb is not installed"
    try:
        duckdb.connect().execute("LOAD httpfs")
    except duckdb.Error:
        return f"httpfs for DuckDB {duckdb.__version__} is not installed; INSTALL httpfs needs internet"
    return ""


needs_extension = pytest.mark.skipif(missing_extension() != "", reason=missing_extension() or "not skipped")


@pytest.fixture
def server() -> Iterator[str]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("may.csv", ORDERS)
        archive.writestr("june.csv", ORDERS + b"4;1,0\n")
    files = {
        "/orders of may.csv": ORDERS,
        "/bucket/a.csv.gz": gzip.compress(ORDERS),
        "/o.zip": packed.getvalue(),
        "/lake/orders-1.csv": ORDERS,
        "/lake/orders-2.csv": ORDERS,
        "/lake/other.csv": b"x;y\n1;2\n",
    }
    with serve_files(files) as url:
        yield url


@needs_extension
def test_a_file_is_read_like_a_local_one(server: str) -> None:
    table = read_remote_table(f"{server}/orders%20of%20may.csv?token=secret")
    assert (table.name, table.columns, table.row_count) == ("orders of may.csv", ["id", "amount"], 3)
    assert any("comma is read as the decimal sign" in guess for guess in table.guesses)
    assert "secret" not in "".join(table.guesses)
    reading = Reading(header_row=0)
    assert read_remote_table(f"{server}/orders%20of%20may.csv", reading=reading).row_count == 4
    assert Inspector(f"{server}/orders%20of%20may.csv").dataset == "orders of may"


@needs_extension
def test_a_member_of_an_archive_is_chosen(server: str) -> None:
    assert read_remote_table(f"{server}/o.zip::june.csv").row_count == 4
    with pytest.raises(UnreadableTableError, match=r"o\.zip contains 2 files"):
        read_remote_table(f"{server}/o.zip")


@needs_extension
def test_an_object_store_is_read_with_the_keys_of_the_environment(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it's secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    assert read_remote_table("s3://bucket/a.csv.gz").row_count == 3
    with pytest.raises(UnreadableTableError) as caught:
        read_remote_table("s3://bucket/gone.csv")
    assert "s3://bucket/gone.csv cannot be fetched" in str(caught.value)
    assert "secret" not in str(caught.value)


@needs_extension
def test_files_of_an_object_store_that_match_a_pattern_are_one_table(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    table = read_remote_table("s3://lake/orders-*.csv")
    assert (table.columns, table.row_count) == (["id", "amount"], 6)
    with pytest.raises(
        UnreadableTableError, match=r"No file matches s3://lake/gone-\*\.csv|cannot be fetched"
    ):
        read_remote_table("s3://lake/gone-*.csv")


@needs_extension
def test_google_storage_is_read_with_its_keys(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCS_KEY_ID", "GOOG")
    monkeypatch.setenv("GCS_SECRET", "secret")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    assert read_remote_table("gs://bucket/a.csv.gz").row_count == 3
    assert read_remote_table("gs://lake/orders-*.csv").row_count == 6


@needs_extension
def test_a_server_needs_a_trusted_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, tls = _make_certificate(tmp_path)
    with serve_files({"/orders.csv": ORDERS}, tls) as url:
        with pytest.raises(UnreadableTableError, match="certificate"):
            read_remote_table(f"{url}/orders.csv")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert read_remote_table(f"{url}/orders.csv").row_count == 3


def _make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(1), now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key_file)
    return file, tls


@needs_extension
def test_a_file_over_the_limit_is_refused_before_it_is_fetched(server: str) -> None:
    with pytest.raises(FileLimitError, match=r"/o\.zip unpacks to more"):
        read_remote_table(f"{server}/o.zip", FileLimits(uncompressed_bytes=10))


@needs_extension
@pytest.mark.parametrize("place", ["/gone.csv?X-Amz-Signature=secret", ":1/orders.csv?sig=secret"])
def test_a_file_that_cannot_be_fetched_is_one_sentence_without_its_secrets(server: str, place: str) -> None:
    url = server + place if place[0] == "/" else f"http://ana:secret@127.0.0.1{place}"
    with pytest.raises(UnreadableTableError) as caught:
        read_remote_table(url)
    assert f"{describe_remote_url(url)} cannot be fetched" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(missing_extension() == "", reason="the extension httpfs is installed")
def test_without_the_extension_the_message_says_how_to_install_it() -> None:
    with pytest.raises(UnreadableTableError) as caught:
        read_remote_table("https://ana:secret@127.0.0.1/orders.csv?sig=secret")
    message = str(caught.value)
    assert message.startswith("https://127.0.0.1/orders.csv is read with DuckDB")
    assert "INSTALL httpfs" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.org/orders.csv", "is not encrypted; write https://"),
        ("https:///orders.csv", "names no server or bucket"),
        ("https://[::1/orders.csv", "names no server or bucket"),
        ("s3://bucket/", "names no file; write it as s3://bucket/orders.csv"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, message: str) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read_remote_table(url)


def test_only_addresses_of_servers_are_remote() -> None:
    remote = ("https://a/b.csv", "HTTP://a/b.csv", "s3://a/b", "gs://a/b")
    assert all(is_remote_url(url) for url in remote)
    assert not any(is_remote_url(url) for url in ("https", "a.csv", "file:///a.csv", "postgresql://a/b"))
