"""Row positions, packed: a roaring bitmap, compressed. 200,000 random rows take 98 kB.

Lists that are no set of ascending positions (labels, repeats, another order) are kept as they are.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard
from pyroaring import BitMap

from lavendertown import codec
from lavendertown.errors import DamagedRecordError

_BITMAP = b"R"
_LIST = b"L"
_LEVEL = 3


def pack(indices: Sequence[Any]) -> bytes:
    """Pack row positions; :func:`unpack` gives back an equal list.

    Raises:
        InvalidInputError: A value has no plain form.
    """
    bitmap = _bitmap(indices)
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    if bitmap is None:
        listed = codec.plain(list(indices), "row_indices")
        return _LIST + compressor.compress(codec.dumps(listed))
    bitmap.run_optimize()
    return _BITMAP + compressor.compress(bitmap.serialize())


def _bitmap(indices: Sequence[Any]) -> BitMap | None:
    try:
        values = array.array("I", indices)
    except (TypeError, OverflowError, ValueError):
        return None
    steps = np.diff(np.frombuffer(values, dtype=np.uint32).astype(np.int64))
    return BitMap(values) if bool((steps > 0).all()) else None


def unpack(data: bytes) -> list[Any]:
    """Return all packed positions as a list.

    Raises:
        DamagedRecordError: The bytes are not what :func:`pack` made.
    """
    made = _open(data)
    return list(made)


def page(data: bytes, offset: int, limit: int) -> list[Any]:
    """Return up to ``limit`` positions from the ``offset``-th on."""
    made = _open(data)
    return list(made[offset : offset + limit])


def count(data: bytes) -> int:
    """Return how many positions are packed."""
    return len(_open(data))


def _open(data: bytes) -> Any:
    try:
        raw = zstandard.ZstdDecompressor().decompress(data[1:])
        if data[:1] == _BITMAP:
            return BitMap.deserialize(raw)
        if data[:1] == _LIST:
            return codec.loads(raw)
    except (zstandard.ZstdError, ValueError) as error:
        raise DamagedRecordError(f"The stored row positions cannot be read: {error}.") from error
    raise DamagedRecordError("The stored row positions are of a form this version does not know.")
