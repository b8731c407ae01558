"""A department's own database: one query, read only, streamed into a Parquet file that is then ingested as any other.

PostgreSQL through ADBC: columns come as Arrow, in batches, and memory stays at one batch. The file carries the query's
text and the address without its password; its SHA-256, which the ledger keeps, covers both and every value.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.parquet as pq

from engine.schema.errors import PermuError

SCHEMES = ("postgresql", "postgres")
QUERY, ADDRESS = b"permu.query", b"permu.from"
_ROWS = 65_536
_LONGEST_QUERY = 1 << 20
_SECRET = ("password", "passfile", "sslpassword", "sslkey")
_CONNECT_SECONDS = "10"


def fetch(url: str, query: Path, folder: Path) -> Path:
    """Run the query in ``query`` and write its rows to ``folder``/<query's name>.parquet.

    Raises:
        PermuError: ``bad_query`` (file not readable, empty, or the address is none), ``database_failed``; no password
            is in any text.
    """
    text = _text(query)
    shown = without_password(url)
    target = folder / f"{query.stem}.parquet"
    try:
        with _connected(url) as cursor:
            cursor.execute(text)
            _write(cursor.fetch_record_batch(), target, {QUERY: text.encode(), ADDRESS: shown.encode()})
    except PermuError:
        raise
    except Exception as error:
        raise _failed(shown, query, _hidden(str(error), url)) from None
    return target


def without_password(url: str) -> str:
    """The address as it may be shown and kept: no password, no key."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        user = parts.netloc.rpartition("@")[0].partition(":")[0]
        kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.lower() not in _SECRET]
    except ValueError:
        return url.partition(":")[0] + "://…"
    return urlunsplit((parts.scheme, f"{user}@{host}" if user else host, parts.path, urlencode(kept), ""))


def _text(query: Path) -> str:
    try:
        if query.stat().st_size > _LONGEST_QUERY:
            raise _bad(f"{query}: larger than 1 MB: not a query", f"{query}：大于 1 MB，不是查询语句")
        text = query.read_text(encoding="utf-8-sig").strip().rstrip(";").rstrip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise _bad(f"{query}: query file not readable: {why}", f"{query}：查询文件无法读取：{why}") from None
    if not text:
        raise _bad(f"{query}: the query file is empty", f"{query}：查询文件是空的")
    return text


def _bad(en: str, zh: str) -> PermuError:
    return PermuError(
        "bad_query",
        f"{en}; write one SELECT into a UTF-8 file and name it with --query",
        f"{zh}；请把一条 SELECT 语句写入 UTF-8 文件，并用 --query 指定",
    )


def _failed(shown: str, query: Path, why: str) -> PermuError:
    return PermuError(
        "database_failed",
        f"{shown}, query {query.name}: {why}; check address, rights and query, then run this again",
        f"{shown}，查询 {query.name}：{why}；请检查地址、权限和查询语句后重试",
    )


def _hidden(text: str, url: str) -> str:
    """A driver's message in one line, without what is secret in the address."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        secrets = [parts.password or "", *(v for k, v in parse_qsl(parts.query) if k.lower() in _SECRET)]
        forms = {form for s in secrets if s for form in (s, unquote(s), quote(s, safe=""))}
        for secret in sorted(forms, key=len, reverse=True):
            text = text.replace(secret, "…")
    line = " ".join(re.sub(r"\bINVALID_\w+:|\[libpq\]|\bIO:", "", text).split())
    return line[:300] or "no reason given"


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Any]:
    """A cursor in a transaction that can only read."""
    if urlsplit(url).scheme not in SCHEMES:
        raise _bad(
            f"{without_password(url)}: only postgresql://user@host/database addresses are read",
            f"{without_password(url)}：只支持 postgresql://用户@主机/数据库 形式的地址",
        )
    from adbc_driver_postgresql import dbapi

    options = {"connect_timeout": _CONNECT_SECONDS, "application_name": "permu"}
    added = urlencode({k: v for k, v in options.items() if k not in url})
    with dbapi.connect(f"{url}{'&' if '?' in url else '?'}{added}") as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        yield cursor


def _write(reader: pa.RecordBatchReader, target: Path, told: dict[bytes, bytes]) -> None:
    """Rows in groups of one size, so that the same answer makes the same file however it arrived."""
    schema = _plain(reader.schema).with_metadata(told)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        held: list[pa.Table] = []
        rows = 0
        for batch in reader:
            held.append(pa.Table.from_batches([batch]).cast(schema))
            rows += batch.num_rows
            while rows >= _ROWS:
                table = pa.concat_tables(held)
                writer.write_table(table.slice(0, _ROWS), row_group_size=_ROWS)
                held, rows = [table.slice(_ROWS)], rows - _ROWS
        if rows:
            writer.write_table(pa.concat_tables(held), row_group_size=_ROWS)


def _plain(schema: pa.Schema) -> pa.Schema:
    """PostgreSQL's own types (numeric) arrive as text under an extension's name: text they are."""
    fields = [f.with_type(f.type.storage_type) if isinstance(f.type, pa.BaseExtensionType) else f for f in schema]
    return pa.schema([pa.field(f.name, f.type) for f in fields])
