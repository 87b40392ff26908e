"""The ``.proto`` of LavenderTown's own services, which is committed: its field numbers are frozen.

After a field was added, run ``python -m lavendertown.rpc.published_proto``. A test compares the file with the
code, and its numbers with those that were published before.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lavendertown.rpc.protocol.proto_text import Numbers, read_numbers, write_proto

PATH = Path(__file__).with_name("lavendertown.proto")


@cache
def published_numbers() -> Numbers:
    """Return the field numbers of the committed file.

    Raises:
        ConfigurationError: It cannot be read.
    """
    return read_numbers(PATH)


def render_published_proto() -> str:
    """Return what the committed file has to be."""
    from lavendertown.rpc import RpcApp, build_storage_bundle
    from lavendertown.rpc.team.collaboration_service import build_collaboration_bundle

    app = RpcApp(name="LavenderTown")
    app.add_bundle(build_collaboration_bundle())
    app.add_bundle(build_storage_bundle(accessors=[]))
    return app.finalize().proto


if __name__ == "__main__":
    write_proto(PATH, render_published_proto())
