"""The audit log: a chain that nobody changes unseen, and a process that writes it while pages go on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.operations import chain
from api.operations.audit import FEW, Audit
from cli.main import run
from engine.schema.warehouse import Warehouse
from tests.processes import alive


def _access(n: int) -> chain.Access:
    return chain.Access("li", "gis", "view", "GET", f"/{n}", b"", None, None, 200)


def test_the_log_is_append_only_and_tampering_shows(home: Warehouse) -> None:
    log = Audit(home)
    home.create()
    with home.connect():
        pass
    for n in range(5):
        log.export(_access(n))
    head = chain.check(home).head
    for change in ("UPDATE access SET user = 'x'", "DELETE FROM access"):
        with pytest.raises(sqlite3.IntegrityError), home.connect() as db:
            db.execute(change)
    assert chain.check(home, head).head_known and chain.check(home).rows == 5
    with home.connect() as db:  # somebody who may write the file
        db.execute("DROP TRIGGER access_no_update")
        db.execute("UPDATE access SET user = 'x' WHERE seq = 3")
    assert chain.check(home).broken_at == 3
    with home.connect() as db:
        db.execute("UPDATE access SET user = 'li' WHERE seq = 3")
        db.execute("DROP TRIGGER access_no_delete")
        db.execute("DELETE FROM access WHERE seq = 5")
    cut = chain.check(home, head)
    assert cut.broken_at is None and cut.head_known is False


def test_the_hash_is_over_the_row_as_json_and_the_one_before(home: Warehouse) -> None:
    """As the log of earlier versions has it: a chain that was begun by one goes on."""
    with home.connect():
        pass
    log = Audit(home)
    for name in ("li", '王 "x"\n\u2028😀'):
        log.export(chain.Access(name, "gis", "export", "GET", "/x", b"q=%E6%98%86&key=1", None, 3, 200))
    before = chain.FIRST
    for row in chain.rows(home):
        told = [before, *(v for k, v in row.items() if k != "hash")]
        before = hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
        assert row["hash"] == before


def test_equal_views_are_one_row_with_a_count_and_none_is_lost(home: Warehouse) -> None:
    log = Audit(home)
    for n in range(300):
        log.see(_access(n % 3))
    with home.connect():
        pass
    log.stop()
    assert sum(r["times"] for r in chain.rows(home)) == 300


def test_many_writers_make_one_chain(home: Warehouse) -> None:
    with home.connect():
        pass
    logs = [Audit(home) for _ in range(4)]  # as many workers: each with connections of its own
    threads = [threading.Thread(target=lambda log=log: [log.export(_access(n)) for n in range(10)]) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = chain.check(home)
    assert told.rows == 40 and told.broken_at is None


def test_the_log_as_a_file(home: Warehouse, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with home.connect():
        pass
    Audit(home).export(chain.Access("=cmd()", "gis", "export", "GET", "/x", b"q=%E6%98%86", "r", 3, 200))
    found = list(chain.rows(home))
    table = chain.text(found, "csv")
    assert table.startswith("\ufeffseq,at,user") and "'=cmd()" in table and found[0]["hash"] in table
    assert json.loads(chain.text(found, "jsonl"))["rows"] == 3
    day = found[0]["at"][:10]
    assert list(chain.rows(home, day, day)) == found and list(chain.rows(home, "2000-01-01", "2000-12-31")) == []
    for words, code in (
        (("check", "--head", found[0]["hash"]), 0),
        (("check", "--head", "f" * 64), 1),
        (("export", "--format", "x"), 2),
    ):
        with pytest.raises(SystemExit) as ended:
            run(["audit", *words, "--home", str(home.home)])
        assert int(ended.value.code or 0) == code, words


@pytest.mark.parametrize(("form", "start"), [("csv", b"\xef\xbb\xbfseq,at,user"), ("jsonl", b'{"seq": 1,')])
def test_the_log_of_some_days_is_exported(home: Warehouse, tmp_path: Path, form: str, start: bytes) -> None:
    for day in ("2024-12-31T23:59:59+00:00", "2025-01-01T00:00:00+00:00", "2025-01-02T12:00:00+00:00"):
        with home.connect():
            pass
        chain.append(home, day, [(_access(1), 1)])
    place = tmp_path / "log"
    for days, seqs in (
        ([], "123"),
        (["--from", "2025-01-01"], "23"),
        (["--from", "2024-12-31", "--to", "2025-01-01"], "12"),
    ):
        with pytest.raises(SystemExit) as ended:
            run(["audit", "export", *days, "--format", form, "--out", str(place), "--home", str(home.home)])
        assert ended.value.code in (0, None)
        lines = place.read_bytes().split(b"\n")
        assert days or place.read_bytes().startswith(start)
        told = (
            [json.loads(line)["seq"] for line in lines if line]
            if form == "jsonl"
            else [int(x.split(b",")[0]) for x in lines[1:] if x]
        )
        assert "".join(map(str, told)) == seqs, days


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (b"by=score&limit=5", "by=score&limit=5"),
        (b"token=abc&q=%E6%98%86", "q=%E6%98%86"),
        (b"KEY=abc", ""),
        (b"\xff=\xff", "%C3%BF=%C3%BF"),
    ],
)
def test_no_secret_of_an_address_is_kept(query: bytes, kept: str) -> None:
    assert chain.question_of(query) == kept


def _seen(log: Audit, start: int, stop: int) -> None:
    with log._swap:  # as one batch: the thread of the log comes at any moment
        log._seen |= {_access(n): 1 for n in range(start, stop)}


def _child(log: Audit) -> subprocess.Popen[bytes]:
    child = log._scribe._child
    assert child is not None
    return child


def _routes(home: Warehouse) -> list[str]:
    assert chain.check(home).broken_at is None
    return sorted((row["route"] for row in chain.rows(home)), key=lambda route: int(route[1:]))


@pytest.fixture
def log(home: Warehouse) -> Iterator[Audit]:
    """A log whose batches are written when a test says so."""
    with home.connect():
        pass
    made = Audit(home)
    yield made
    made.stop()


def test_few_rows_need_no_other_process_and_many_go_to_one(home: Warehouse, log: Audit) -> None:
    _seen(log, 0, FEW)
    log.flush()
    assert log._scribe._child is None
    for start in (FEW, 1000):
        _seen(log, start, 1000 if start == FEW else 6000)
        log.flush()
    child = _child(log)
    log.export(_access(6000))
    log.stop()
    assert child.returncode == 0 and _routes(home) == [f"/{n}" for n in range(6001)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group_ends_it_only_with_the_server(
    home: Warehouse, log: Audit, number: signal.Signals
) -> None:
    for start in (0, 100):
        _seen(log, start, start + 100)
        log.flush()
        child = _child(log)
        child.send_signal(number)
    log.stop()
    assert child.returncode == 0 and len(_routes(home)) == 200


@pytest.mark.parametrize("rows", [100, 3000])  # 3000 do not fit into the pipe
def test_a_writer_that_is_killed_within_a_batch_loses_nothing(home: Warehouse, log: Audit, rows: int) -> None:
    _seen(log, 0, 100)
    log.flush()
    child = _child(log)
    child.send_signal(signal.SIGSTOP)
    _seen(log, 100, 100 + rows)
    flushing = threading.Thread(target=log.flush)
    flushing.start()
    time.sleep(0.3)
    child.kill()
    flushing.join(20)
    assert _routes(home) == [f"/{n}" for n in range(100 + rows)]
    _seen(log, 9000, 9100)  # the next is started only after a rest
    log.flush()
    assert log._scribe._child is None and len(_routes(home)) == 200 + rows


def test_a_writer_that_hangs_is_ended(home: Warehouse, log: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.operations.scribe.PATIENCE", 0.3)
    _seen(log, 0, 100)
    log.flush()
    child = _child(log)
    child.send_signal(signal.SIGSTOP)
    for start in (100, 200):
        _seen(log, start, start + 100)
        log.flush()
    assert child.returncode == -signal.SIGKILL and len(_routes(home)) == 300


def test_no_more_than_one_writer_is_started_where_none_can_work(
    home: Warehouse, log: Audit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("api.operations.scribe.sys.executable", "/bin/false")
    for start in range(0, 500, 100):
        _seen(log, start, start + 100)
        log.flush()
    assert len(_routes(home)) == 500 and caplog.text.count("has ended") == 1


def test_whatever_goes_wrong_the_log_goes_on(home: Warehouse, log: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("api.operations.audit.append", lambda *_: 1 / 0)
        log.see(_access(1))
        time.sleep(0.3)
        assert log._thread is not None and log._thread.is_alive()
    for _ in range(100):
        if _routes(home) == ["/1"]:
            return
        time.sleep(0.05)
    raise AssertionError(_routes(home))


def test_what_the_writer_cannot_write_waits(home: Warehouse, log: Audit, caplog: pytest.LogCaptureFixture) -> None:
    _seen(log, 0, 100)
    log.flush()
    ledger, away = home.ledger, home.ledger.with_suffix(".away")
    ledger.rename(away)
    _seen(log, 100, 200)
    log.flush()
    assert "audit cannot be written, 100 rows wait" in caplog.text and len(log._seen) == 100
    away.rename(ledger)
    log.stop()
    assert _routes(home) == [f"/{n}" for n in range(200)]


_SERVER = """
import os, signal, sys, threading, time
from pathlib import Path
from api.operations import chain
from api.operations.audit import Audit
from api.operations.chain import Access
from engine.schema.warehouse import Warehouse
log = Audit(Warehouse(Path(sys.argv[1])))
for start in (0, 100):
    with log._swap:
        log._seen |= {Access("li", "gis", "view", "GET", f"/{start + n}", b"", None, None, 200): 1 for n in range(100)}
    if start == 0:
        log.flush()
        child = log._scribe._child
        print(child.pid, flush=True)
        child.send_signal(signal.SIGSTOP)
    else:
        threading.Thread(target=log.flush).start()
        time.sleep(0.5)
print(len(list(chain.rows(log.warehouse))), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_writer_ends_when_the_server_is_killed_and_writes_what_it_has(home: Warehouse, log: Audit) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SERVER, str(home.home)], stdout=subprocess.PIPE, cwd=Path.cwd(), check=False
    )
    child, written = map(int, ran.stdout.split())
    assert ran.returncode == -signal.SIGKILL and written == 100
    with contextlib.suppress(ProcessLookupError):  # the kernel, too, wakes a group that its parent leaves stopped
        os.kill(child, signal.SIGCONT)
    for _ in range(200):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child) and len(_routes(home)) == 200  # it was handed over whole
