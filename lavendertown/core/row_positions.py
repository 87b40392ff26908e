"""Pack row positions into a compressed roaring bitmap. 200,000 random rows take 98 kB.

Lists that are not strictly ascending positions (labels, duplicates, another order) are stored as JSON lists.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard
from pyroaring import BitMap

from lavendertown.core import json_codec
from lavendertown.core.errors import DamagedRecordError

_BITMAP = b"R"
_LIST = b"L"
_COMPRESSED = b"Z"
_UNCOMPRESSED = b"0"
_COMPRESSION_LEVEL = 3
_MAX_UNCOMPRESSED_BYTES = 200


def pack_positions(indices: Sequence[Any]) -> bytes:
    """Return row positions in packed form; :func:`unpack_positions` restores an equal list.

    Raises:
        InvalidInputError: A value has no JSON form.
    """
    bitmap = _build_bitmap(indices)
    if bitmap is None:
        return _LIST + _compress_bytes(json_codec.dumps(json_codec.to_jsonable(list(indices), "row_indices")))
    bitmap.run_optimize()
    return _BITMAP + _compress_bytes(bitmap.serialize())


def _compress_bytes(raw: bytes) -> bytes:
    # For a few rows, as in most findings, starting a compressor costs more than it saves.
    if len(raw) <= _MAX_UNCOMPRESSED_BYTES:
        return _UNCOMPRESSED + raw
    return _COMPRESSED + zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress(raw)


def _build_bitmap(indices: Sequence[Any]) -> BitMap | None:
    try:
        values = array.array("I", indices)
    except (TypeError, OverflowError, ValueError):
        return None
    steps = np.diff(np.frombuffer(values, dtype=np.uint32).astype(np.int64))
    return BitMap(values) if bool((steps > 0).all()) else None


def unpack_positions(data: bytes) -> list[Any]:
    """Return all packed positions as a list.

    Raises:
        DamagedRecordError: The bytes are not packed positions.
    """
    decoded = _decode_positions(data)
    if isinstance(decoded, list):
        return decoded
    # Twice as fast as iterating over the bitmap, and a tenth faster than to_array().tolist().
    positions: list[Any] = np.frombuffer(decoded.to_array(), dtype=np.uint32).astype(np.int64).tolist()
    return positions


def read_positions_page(data: bytes, offset: int, limit: int | None) -> list[Any]:
    """Return up to ``limit`` positions, starting at ``offset``; all following ones if ``limit`` is None."""
    positions = _decode_positions(data)
    end = len(positions) if limit is None else min(offset + limit, len(positions))
    return list(positions[min(offset, end) : end])


def count_positions(data: bytes) -> int:
    """Return the number of packed positions."""
    return len(_decode_positions(data))


def _decode_positions(data: bytes) -> Any:
    try:
        raw = data[2:]
        if data[1:2] == _COMPRESSED:
            raw = zstandard.ZstdDecompressor().decompress(raw)
        elif data[1:2] != _UNCOMPRESSED:
            raise ValueError("the format is unknown to this version")
        if data[:1] == _BITMAP:
            return BitMap.deserialize(raw)
        if data[:1] == _LIST:
            return json_codec.loads(raw)
    except (zstandard.ZstdError, ValueError) as error:
        raise DamagedRecordError(f"The stored row positions cannot be read: {error}.") from error
    raise DamagedRecordError(
        "The stored row positions cannot be read: the format is unknown to this version."
    )
