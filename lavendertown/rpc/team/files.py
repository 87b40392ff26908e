"""Files that are sent to RPC and MCP, and the workers that read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.core.errors import InvalidInputError
from lavendertown.rpc.protocol.schema import FieldSpec, MessageSpec
from lavendertown.rpc.shutdown import is_stopping

if TYPE_CHECKING:
    from lavendertown.inspection.server_files import ServerFiles

FILE = MessageSpec("TeamFile", (FieldSpec("name", "string"), FieldSpec("content", "bytes")))
_MAX_NAME = 200


def check_files(files: Sequence[Any], *, example: str) -> None:
    """Refuse files without a name, or none at all.

    Args:
        files: The messages, with ``name`` and ``content``.
        example: A name for the message.

    Raises:
        InvalidInputError: There is no file, or one has no name or too long a one.
    """
    if not files:
        raise InvalidInputError("The request has no files; send each with its name and content.")
    if not all(each.name.strip() for each in files):
        raise InvalidInputError(f"A file of the request has no name; give it one, such as {example}.")
    if any(len(each.name) > _MAX_NAME for each in files):
        raise InvalidInputError(f"The name of a file is longer than {_MAX_NAME} characters; shorten it.")


def check_file(request: Any, *, example: str) -> None:
    """Refuse a request without a file in its field ``file``; for the errors, see :func:`check_files`."""
    check_files([request.file] if request.HasField("file") else [], example=example)


@cache
def server_files() -> ServerFiles:
    """Return the workers of this process; imported in a call, because it imports the data libraries."""
    from lavendertown.inspection.server_files import ServerFiles

    return ServerFiles(wait=_refuse_when_stopping)


def _refuse_when_stopping() -> None:
    if is_stopping():
        raise ConnectError(Code.UNAVAILABLE, "The server is stopping; nothing was written. Try again later.")
