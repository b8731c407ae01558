"""Ranking on Apache Spark: a session in which nothing that decides the answer is left to chance, and which ends wholly.

Without a remote address a JVM is started for this one ranking and ended with it. `SPARK_CONF_DIR` names a cluster's own
settings (its `spark.master`, memory, addresses); without it Spark runs in this process's machine alone, on all cores and
on the loopback address. Either way the settings of :data:`PINNED` hold.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import narwhals as nw
import polars as pl

from engine.policy.packs import Pack
from engine.ranking.merged import Merged
from engine.ranking.pipeline import table
from engine.schema.errors import PermuError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What an answer could depend on: sums that overflow are errors, dates know no local time, a name is one column.
PINNED = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
_LOG_LINES = 3
_CONNECT_PORT = 15002


def compute(pack: Pack, merged: Merged, last: Merged | None, folder: Path, remote: str | None) -> pl.DataFrame:
    """The rankings table in enterprise_id order, computed by Spark and handed over as Parquet under ``folder``.

    Raises no_spark, no_java, spark_failed.
    """
    with session(folder / "spark.log", remote) as spark:
        try:
            return computed(spark, pack, merged, last, folder / "spark")
        except Exception as error:
            raise _failed(error, folder / "spark.log", remote) from error


def computed(spark: SparkSession, pack: Pack, merged: Merged, last: Merged | None, place: Path) -> pl.DataFrame:
    """As :func:`compute`, in a session that is there; Spark writes ``place`` and reads the merges at their paths."""

    def scan(file: Path) -> nw.LazyFrame:
        return nw.from_native(spark.read.parquet(f"file://{file}"))

    def hold(frame: nw.LazyFrame) -> nw.LazyFrame:
        """Written and read again: Spark would compute it anew for each of its readers, and theirs for each of them."""
        return scan(written(frame))

    def written(frame: nw.LazyFrame) -> Path:
        step = place / str(next(steps))
        frame.to_native().write.parquet(f"file://{step}")
        return step

    steps = count()
    before = last.tables(scan, hold) if last else None
    done = written(table(pack.policy, merged.tables(scan, hold), before))
    return pl.scan_parquet(done / "*.parquet").sort("enterprise_id").collect()


@contextlib.contextmanager
def session(log: Path, remote: str | None = None) -> Iterator[SparkSession]:
    """A session of its own: on ``remote`` (Spark Connect), else on a JVM that writes ``log`` and ends with it."""
    _require()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark warns of newer pandas, which takes no part here
        with _remote(remote) if remote else _own(log) as spark:
            yield spark


@contextlib.contextmanager
def _remote(address: str) -> Iterator[SparkSession]:
    _answers(address)
    try:
        from pyspark.sql.connect.session import SparkSession as Connected

        spark: Any = Connected.builder.remote(address).getOrCreate()
        for name, value in PINNED.items():
            spark.conf.set(name, value)
    except ImportError as error:
        raise _absent() from error
    except Exception as error:
        raise _failed(error, None, address) from error
    try:
        yield spark
    finally:
        spark.stop()


def _answers(address: str) -> None:
    """Whether anybody listens there: Spark's client would try for ten minutes before it says so."""
    parts = urlsplit(address)
    try:
        if parts.scheme != "sc" or not parts.hostname:
            raise ValueError("an address is sc://HOST:PORT")
        socket.create_connection((parts.hostname, parts.port or _CONNECT_PORT), timeout=10).close()
    except (OSError, ValueError) as error:
        raise _failed(error, None, address) from error


@contextlib.contextmanager
def _own(log: Path) -> Iterator[SparkSession]:
    """A JVM of our own; its standard input is the pipe by which it also ends should this process be killed."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setAppName("permu").setAll(list((PINNED | _QUIET | _place()).items()))
    with log.open("wb") as noise, _java(log):
        gateway = launch_gateway(conf, {"stdout": noise, "stderr": noise})
    spark = None
    try:
        with _java(log):
            spark = SparkSession(SparkContext(conf=conf, gateway=gateway))
        yield spark
    finally:
        if spark is not None:
            spark.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=60)
        SparkContext._gateway = SparkContext._jvm = None


def _place() -> dict[str, str]:
    """Where Spark runs when no SPARK_CONF_DIR says so: here, on half the memory, heard by nobody outside."""
    if "SPARK_CONF_DIR" in os.environ:
        return {}
    cores = os.cpu_count() or 1
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 // 2**20
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{max(1024, megabytes)}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.maxResultSize": "0",
        "spark.sql.shuffle.partitions": str(2 * cores),
        # the windows of thirty rankings make code that the JVM is longer compiling than running (docs/scale.md)
        "spark.sql.codegen.wholeStage": "false",
    }


def _require() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise _absent() from error


@contextlib.contextmanager
def _java(log: Path) -> Iterator[None]:
    """What goes wrong while the JVM starts, in one line."""
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and (Path(home) / "bin" / "java").is_file()):
        raise PermuError(
            "no_java",
            "Spark needs Java 17 and there is none on this machine; install it (Debian: openjdk-17-jre-headless), "
            "set JAVA_HOME, or name a Spark Connect server with --remote sc://HOST:PORT",
            "Spark 需要 Java 17，而本机没有；请安装（Debian：openjdk-17-jre-headless）、设置 JAVA_HOME，"
            "或用 --remote sc://主机:端口 指定 Spark Connect 服务器",
        )
    try:
        yield
    except Exception as error:
        raise _failed(error, log, None) from error


def _absent() -> PermuError:
    return PermuError(
        "no_spark",
        "--engine spark needs pyspark, which is not installed here; run `pip install 'permu[spark]'`, "
        "or rank without --engine spark: the result is the same",
        "--engine spark 需要 pyspark，本环境未安装；请运行 pip install 'permu[spark]'，或不加 --engine spark 排名，结果相同",
    )


def _failed(error: Exception, log: Path | None, remote: str | None) -> PermuError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if log is not None and log.is_file() and "JAVA_GATEWAY_EXITED" in str(error):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-_LOG_LINES:] or lines
    why = " | ".join(lines[:_LOG_LINES])
    where, ort = (f"Spark at {remote}", f"{remote} 的 Spark") if remote else ("Spark", "Spark")
    return PermuError(
        "spark_failed",
        f"{where}: {why}; Spark must be able to read and write the warehouse's folder under the same path; "
        "without --engine spark the same ranking runs on this machine",
        f"{ort}：{why}；Spark 须能以相同路径读写数据仓库目录；不加 --engine spark 可在本机得到相同排名",
    )
