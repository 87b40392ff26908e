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
_COMPRESSED = b"Z"
_AS_IS = b"0"
_LEVEL = 3
_SHORT = 200


def pack(indices: Sequence[Any]) -> bytes:
    """Pack row positions; :func:`unpack` gives back an equal list.

    Raises:
        InvalidInputError: A value has no plain form.
    """
    bitmap = _bitmap(indices)
    if bitmap is None:
        return _LIST + _squeeze(codec.dumps(codec.plain(list(indices), "row_indices")))
    bitmap.run_optimize()
    return _BITMAP + _squeeze(bitmap.serialize())


def _squeeze(raw: bytes) -> bytes:
    # A handful of rows, as most findings have, is not worth a compressor's start.
    if len(raw) <= _SHORT:
        return _AS_IS + raw
    return _COMPRESSED + zstandard.ZstdCompressor(level=_LEVEL).compress(raw)


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
    if isinstance(made, list):
        return made
    # Twice as fast as walking the bitmap, and a tenth faster than the array's own list.
    positions: list[Any] = np.frombuffer(made.to_array(), dtype=np.uint32).astype(np.int64).tolist()
    return positions


def page(data: bytes, offset: int, limit: int) -> list[Any]:
    """Return up to ``limit`` positions from the ``offset``-th on."""
    made = _open(data)
    return list(made[offset : offset + limit])


def count(data: bytes) -> int:
    """Return how many positions are packed."""
    return len(_open(data))


def _open(data: bytes) -> Any:
    try:
        raw = data[2:]
        if data[1:2] == _COMPRESSED:
            raw = zstandard.ZstdDecompressor().decompress(raw)
        elif data[1:2] != _AS_IS:
            raise ValueError("a form this version does not know")
        if data[:1] == _BITMAP:
            return BitMap.deserialize(raw)
        if data[:1] == _LIST:
            return codec.loads(raw)
    except (zstandard.ZstdError, ValueError) as error:
        raise DamagedRecordError(f"The stored row positions cannot be read: {error}.") from error
    raise DamagedRecordError("The stored row positions are of a form this version does not know.")
