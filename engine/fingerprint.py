"""The hash of a table: the same for equal content on any engine, platform and run.

Rows as given (enterprise_id order), columns as given (dictionary order); per column its name, type, validity bits,
then little-endian values (0 where null), or for text the lengths in bytes (uint32) and the UTF-8 bytes.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_TYPES = {pl.Int64: "<i8", pl.Int32: "<i4", pl.Float64: "<f8", pl.Boolean: "u1"}


def table_sha256(frame: pl.DataFrame) -> str:
    """SHA-256 (hex) over the columns of ``frame``."""
    digest = hashlib.sha256()
    for column in frame.iter_columns():
        digest.update(f"{column.name}\0{column.dtype}\0".encode())
        digest.update(np.packbits(column.is_not_null().to_numpy(), bitorder="little").tobytes())
        if column.dtype == pl.String:
            _text(digest, column)
        else:
            values = column.to_physical().cast(pl.Int32) if column.dtype == pl.Date else column
            kind = "<i4" if column.dtype == pl.Date else _TYPES[column.dtype.base_type()]
            digest.update(values.fill_null(0).to_numpy().astype(kind).tobytes())
    return digest.hexdigest()


def _text(digest: hashlib._Hash, column: pl.Series) -> None:
    whole = column.fill_null("").to_arrow()
    text = whole.cast(pa.large_string())
    digest.update(np.asarray(pc.binary_length(text)).astype("<u4").tobytes())
    for chunk in text.chunks if isinstance(text, pa.ChunkedArray) else [text]:
        start, end = chunk.offset, chunk.offset + len(chunk)
        offsets = np.frombuffer(chunk.buffers()[1], dtype="<i8")[start : end + 1]
        data = chunk.buffers()[2]
        digest.update(memoryview(data)[offsets[0] : offsets[-1]] if data and len(offsets) else b"")
