"""Access tokens: made once, shown once, kept as hashes in the data folder."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lavendertown.core import clock, json_codec, locks
from lavendertown.core.atomic_files import write_atomically
from lavendertown.core.errors import (
    DamagedRecordError,
    InvalidInputError,
    NotFoundError,
    StorageUnavailableError,
)
from lavendertown.records.validation import check_actor
from lavendertown.rpc.protocol.schema import Role

FILE_NAME = "rpc_tokens.json"
PREFIX = "lt_"
_ID_BYTES = 6
_SECRET_BYTES = 32
_TIMES = {"created_at", "expires_at", "revoked_at"}


@dataclass(frozen=True)
class Token:
    """A stored token, without its secret.

    Attributes:
        id: The public part of the token, which lists show.
        actor: The actor of every write with the token.
        role: The role of its callers.
        digest: The SHA-256 digest of the secret, in hexadecimal.
        created_at: The time of creation, in UTC.
        expires_at: The time from which the token is refused, in UTC; None for no expiry.
        revoked_at: The time of the revocation, in UTC; None for a token that was not revoked.
    """

    id: str
    actor: str
    role: Role
    digest: str
    created_at: dt.datetime
    expires_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None

    @property
    def state(self) -> str:
        """``"valid"``, ``"expired"`` or ``"revoked"``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= clock.now() else "valid"


class TokenStore:
    """The tokens of a data folder. Several processes may use it at once.

    Args:
        data_dir: The data folder; it is made with the first token.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._cached: tuple[Token, ...] = ()

    def create_token(
        self, actor: str, role: Role, expires_at: dt.datetime | None = None
    ) -> tuple[str, Token]:
        """Make a token; return its text, which is kept nowhere, and what is kept of it.

        Raises:
            InvalidInputError: The actor's name cannot be stored, or the expiry is past.
            StorageUnavailableError: The file cannot be written.
        """
        check_actor(actor)
        if not actor.strip():
            raise InvalidInputError("A token needs an actor: the name that its writes are recorded under.")
        if expires_at is not None and expires_at <= clock.now():
            raise InvalidInputError("The token would have expired already; choose a later time.")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        token = Token(
            secrets.token_hex(_ID_BYTES), actor.strip(), role, _digest(secret), clock.now(), expires_at
        )
        self._change(lambda tokens: [*tokens, token])
        return f"{PREFIX}{token.id}_{secret}", token

    def list_tokens(self) -> Sequence[Token]:
        """Return all tokens, oldest first.

        Raises:
            StorageUnavailableError: The file cannot be read.
            DamagedRecordError: It does not hold tokens.
        """
        with self._lock:
            return self._read()

    def revoke_token(self, token_id: str) -> Token:
        """Refuse a token from now on; return what is kept of it.

        Raises:
            NotFoundError: There is no such token.
            StorageUnavailableError: The file cannot be written.
        """
        revoked: list[Token] = []

        def change(tokens: Sequence[Token]) -> list[Token]:
            for each in tokens:
                if each.id == token_id:
                    revoked.append(replace(each, revoked_at=each.revoked_at or clock.now()))
            if not revoked:
                raise NotFoundError(
                    f"There is no token {token_id!r}; list them with: lavendertown rpc token list"
                )
            return [revoked[0] if each.id == token_id else each for each in tokens]

        self._change(change)
        return revoked[0]

    def find_token(self, text: str) -> Token | None:
        """Return the valid token that a caller sent; None where it is none."""
        if not text.startswith(PREFIX):
            return None
        token_id, _, secret = text.removeprefix(PREFIX).partition("_")
        digest = _digest(secret)
        for each in self.list_tokens():
            if each.id == token_id and hmac.compare_digest(each.digest, digest) and each.state == "valid":
                return each
        return None

    def _read(self) -> tuple[Token, ...]:
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                self._cached, self._seen = _parse(self._path.read_bytes()), seen
        except FileNotFoundError:
            self._cached, self._seen = (), None
        except OSError as error:
            raise StorageUnavailableError(
                f"The tokens in {self._path} cannot be read ({error.strerror}); check its permissions."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedRecordError(
                f"The file {self._path} does not hold tokens; restore it, or move it away and make new ones."
            ) from error
        return self._cached

    def _change(self, change: Any) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._path.with_suffix(".lock")
            with self._lock, locks.file_lock(str(lock), f"the tokens in {self._path}"):
                self._seen = None
                self._write(change(self._read()))
        except OSError as error:
            raise StorageUnavailableError(
                f"The tokens in {self._path} cannot be written ({error.strerror}); nothing was changed."
            ) from error

    def _write(self, tokens: Iterable[Token]) -> None:
        plain = [_token_to_json(each) for each in tokens]
        data = json_codec.dumps({"format": 1, "tokens": plain}, indent=True)
        with write_atomically(self._path) as draft, open(draft, "wb", opener=_open_as_private) as file:
            file.write(data)


def _open_as_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _digest(secret: str) -> str:
    # The secret is random and long, so that a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def _token_to_json(token: Token) -> dict[str, Any]:
    written = {each.name: getattr(token, each.name) for each in fields(token)}
    written["role"] = token.role.value
    return written | {name: written[name].isoformat() if written[name] else None for name in _TIMES}


def _parse(data: bytes) -> tuple[Token, ...]:
    return tuple(_token_from_json(each) for each in json_codec.loads(data)["tokens"])


def _token_from_json(data: dict[str, Any]) -> Token:
    values = {each.name: data[each.name] for each in fields(Token) if each.name in data}
    values["role"] = Role(data["role"])
    for name in _TIMES & values.keys():
        values[name] = clock.parse_time(values[name], clock.UTC) if values[name] else None
    if values["created_at"] is None:
        raise ValueError("created_at is missing")
    return Token(**values)
