"""A web server on loopback that serves files from memory."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


@contextmanager
def serve_files(files: Mapping[str, bytes], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve files by their paths, such as ``/orders.csv``, and yield the URL of the server.

    The first folder of a path is also a bucket that answers ListObjectsV2, as object stores do.

    Args:
        files: The files by their paths.
        tls: The certificate with which to serve https.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self.wfile.write(self._answer())

        def _answer(self) -> bytes:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            content = files.get(unquote(url.path))
            if "list-type" in query:
                content = _list_bucket(files, unquote(url.path).strip("/"), query.get("prefix", [""])[0])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            return content or b""

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    # It looks for the request to end only so often.
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _list_bucket(files: Mapping[str, bytes], bucket: str, prefix: str) -> bytes:
    start = f"/{bucket}/"
    keys = [
        (path.removeprefix(start), len(content)) for path, content in files.items() if path.startswith(start)
    ]
    found = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-05-01T10:00:00.000Z</LastModified><Size>{size}</Size></Contents>"
        for key, size in keys
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()
