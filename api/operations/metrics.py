"""Metrics for Prometheus: requests by rule, method and status, latency, open releases, build.

With several workers `permu serve` gives them a folder of their own (PROMETHEUS_MULTIPROC_DIR): each writes its
numbers there and whoever answers /metrics adds them up.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

MEDIA = CONTENT_TYPE_PLAIN_0_0_4
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

REGISTRY = CollectorRegistry()
REQUESTS = Counter("permu_requests_total", "Requests answered.", ("method", "route", "status"), registry=REGISTRY)
LATENCY = Histogram(
    "permu_request_seconds", "Seconds to the end of the answer.", ("route",), buckets=_BUCKETS, registry=REGISTRY
)
RELEASES = Gauge("permu_open_releases", "Releases held open.", registry=REGISTRY, multiprocess_mode="livesum")
BUILD = Gauge(
    "permu_build_info", "1; the version is the label.", ("version",), registry=REGISTRY, multiprocess_mode="livemax"
)


@lru_cache(maxsize=2048)
def _counter(method: str, route: str, status: int) -> Callable[[], None]:
    return REQUESTS.labels(method, route, str(status)).inc


@lru_cache(maxsize=512)
def _latency(route: str) -> Callable[[float], None]:
    return LATENCY.labels(route).observe


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer. Labels are rules and known methods, so that nobody can make their number grow."""
    _counter(method if method in _METHODS else "other", route, status)()
    _latency(route)(seconds)


def forget(pid: int | None) -> None:
    """A worker has ended: what it held open counts no more."""
    if pid is not None and os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(pid)


def page() -> bytes:
    """The metrics of all workers in Prometheus's text format."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together, path=folder)
    return generate_latest(together)
