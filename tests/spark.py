"""Spark for tests: whether this machine can run it, and settings of a small local one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

needs_java = pytest.mark.skipif(
    shutil.which("java") is None and not os.environ.get("JAVA_HOME"),
    reason="no Java on this machine: Spark needs Java 17 (Debian: openjdk-17-jre-headless)",
)
# One compiler stage and one partition: what a small table takes is mostly compiling.
_SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.ui.enabled": "false",
}


def settings_in(folder: Path) -> Path:
    """A folder for SPARK_CONF_DIR."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {value}\n" for name, value in _SETTINGS.items()]
    (folder / "spark-defaults.conf").write_text("".join(lines))
    return folder
