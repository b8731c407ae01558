"""A live PostgreSQL: the answer of a query is ingested as a file, streamed, read only, and no password is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.query import ingest_query
from ingest.read.database import fetch, without_password
from tests import postgres
from tests.postgres import Server

TABLE = """
CREATE TABLE IF NOT EXISTS yd (yhbh text, hm text, ny int, dl numeric(18,3), cbrq date);
TRUNCATE yd;
INSERT INTO yd VALUES ('0000000001', '苏州甲公司', 202401, 1234.567, '2024-01-31'),
  ('0000000002', '乙厂', 202401, NULL, '2024-01-31'), ('0000000003', '丙厂', 202402, 20, '2024-02-29');
"""
QUERY = "SELECT yhbh AS 户号, hm AS 户名, ny AS 月份, dl AS 用电量 FROM yd ORDER BY 1;\n"


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL on this machine: .ci/run installs Debian's package")
    with postgres.server() as running:
        running.run(TABLE)
        yield running


def url(server: Server, password: str | None = None) -> str:
    secret = quote(server.password if password is None else password, safe="")
    return f"postgresql://{server.user}:{secret}@127.0.0.1:{server.port}/postgres"


def sql(folder: Path, text: str = QUERY) -> Path:
    file = folder / "用电.sql"
    file.write_text(text, "utf-8")
    return file


def everything(home: Warehouse) -> bytes:
    return b"".join(f.read_bytes() for f in home.home.rglob("*") if f.is_file())


def test_a_query_is_ingested_and_the_ledger_knows_it(database: Server, home: Warehouse, tmp_path: Path) -> None:
    (report,) = ingest_query(home, "power", url(database), sql(tmp_path))
    assert (report.rows_in, report.kept, report.year) == (3, 2, 2024)
    assert report.reasons == {"missing_power_wh": 1}
    table = pl.read_parquet(home.canonical / "power" / report.load_id / "usage.parquet", glob=False)
    assert table.select("account", "name", "period", "power_wh").rows() == [
        ("0000000001", "苏州甲公司", 202401, 1_234_567),
        ("0000000003", "丙厂", 202402, 20_000),
    ]
    with home.read() as db:
        told = json.dumps(dict(db.execute("SELECT * FROM loads").fetchone()), ensure_ascii=False)
    assert "SELECT yhbh" in told
    assert f"{database.user}@127.0.0.1" in told
    assert database.password not in told


def test_the_password_is_nowhere_in_the_warehouse(database: Server, home: Warehouse, tmp_path: Path) -> None:
    ingest_query(home, "power", url(database), sql(tmp_path))
    kept = everything(home)
    assert database.password.encode() not in kept
    assert quote(database.password, safe="").encode() not in kept


def test_the_same_answer_is_a_duplicate_and_another_replaces_it(
    database: Server, home: Warehouse, tmp_path: Path
) -> None:
    database.run(TABLE)
    first = ingest_query(home, "power", url(database), sql(tmp_path), 2024)[0]
    assert ingest_query(home, "power", url(database), sql(tmp_path), 2024)[0].duplicate
    database.run("UPDATE yd SET dl = 5 WHERE yhbh = '0000000002'")
    second = ingest_query(home, "power", url(database), sql(tmp_path), 2024)[0]
    assert (first.kept, second.kept) == (2, 3)
    with home.read() as db:
        rows = dict(db.execute("SELECT load_id, superseded_by FROM loads").fetchall())
    assert rows[first.load_id] == second.load_id
    database.run(TABLE)


def test_the_command(database: Server, home: Warehouse, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("permu")), "ingest", "--source", "power", "--from", url(database)]
    command += ["--query", str(sql(tmp_path)), "--year", "2024", "--home", str(home.home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PERMU_LANG": "en"})
    assert done.returncode == 1, "a row was refused: a person should look"
    (load,) = json.loads(done.stdout)["loads"]
    assert (load["source"], load["rows_in"], load["kept"]) == ("power", 3, 2)
    assert database.password not in done.stdout + done.stderr


def test_many_rows_come_in_batches(database: Server, tmp_path: Path) -> None:
    text = "SELECT lpad(i::text, 10, '0') AS 户号, 202401 AS 月份, i * 0.5 AS 用电量 FROM generate_series(1, 300000) i"
    file = fetch(url(database), sql(tmp_path, text), tmp_path)
    rows = pl.scan_parquet(file, glob=False)
    assert rows.select(pl.len()).collect().item() == 300_000
    assert rows.select(pl.col("户号").last()).collect().item() == "0000300000"
    assert fetch(url(database), sql(tmp_path, text), tmp_path).read_bytes() == file.read_bytes()


BROKEN = [
    ("SELECT nothing FROM nowhere", "database_failed", "nowhere"),
    ("DELETE FROM yd", "database_failed", "read-only"),
    ("SELECT 1; DROP TABLE yd", "database_failed", "用电.sql"),
    ("CREATE TABLE other AS SELECT 1", "database_failed", "read-only"),
    ("  \n;", "bad_query", "empty"),
]


@pytest.mark.parametrize(("text", "code", "words"), BROKEN)
def test_a_query_that_fails(
    database: Server, home: Warehouse, tmp_path: Path, text: str, code: str, words: str
) -> None:
    with pytest.raises(PermuError) as error:
        ingest_query(home, "power", url(database), sql(tmp_path, text))
    assert error.value.code == code
    assert words in error.value.en
    assert "\n" not in error.value.en
    assert fetch(url(database), sql(tmp_path), tmp_path).is_file(), "the table is still there"


def test_a_wrong_password_is_not_repeated(database: Server, home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as error:
        ingest_query(home, "power", url(database, "wr0ng-secret"), sql(tmp_path))
    assert error.value.code == "database_failed"
    assert "wr0ng-secret" not in error.value.en + error.value.zh + str(error.value.details)


def test_nobody_listens(home: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(PermuError) as error:
        ingest_query(home, "power", "postgresql://a:geheim@127.0.0.1:1/x", sql(tmp_path))
    assert error.value.code == "database_failed"
    assert "geheim" not in error.value.en


@pytest.mark.parametrize("address", ["mysql://u:geheim@h/d", "power.csv", "http://h/", "postgresql+psycopg2://h/d"])
def test_an_address_that_is_none(home: Warehouse, tmp_path: Path, address: str) -> None:
    with pytest.raises(PermuError) as error:
        ingest_query(home, "power", address, sql(tmp_path))
    assert error.value.code == "bad_query"
    assert "geheim" not in error.value.en


SHOWN = [
    ("postgresql://u:p@h:5432/d", "postgresql://u@h:5432/d"),
    ("postgresql://h/d?password=p&sslmode=require", "postgresql://h/d?sslmode=require"),
    ("postgresql://u:p%40q@h/d", "postgresql://u@h/d"),
]


@pytest.mark.parametrize(("given", "shown"), SHOWN)
def test_an_address_is_shown_without_its_password(given: str, shown: str) -> None:
    assert without_password(given) == shown
