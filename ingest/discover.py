"""Which files a command means, of which source and year: from the folders that they lie in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.schema.errors import PermuError
from ingest.declarations import Source
from ingest.declared import find_source, sources

# Parts of a layer, and what systems leave in folders.
_SIDECARS = {".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".qmd", ".idx", ".gpkg-wal", ".gpkg-shm", ".lock"}
_NO_DATA = {".md", ".yaml", ".yml", ".ini", ".db", ".tmp", ".part", ".sha256"}
_HIDDEN = (".", "~$", "__MACOSX", "Thumbs.db", "desktop.ini")
_YEAR = re.compile(r"20\d\d")


@dataclass(frozen=True)
class Drop:
    """One file to load: its path, its name as the ledger keeps it (below the source's folder), source and year."""

    path: Path
    label: str
    source: Source
    year: int | None


def discover(paths: list[Path], source: str | None, year: int | None) -> list[Drop]:
    """Every data file under ``paths``. With ``year``, files below a folder named as another year are left out.

    Raises:
        PermuError: ``missing_folder``, ``unknown_source``, ``no_files``.
    """
    named = find_source(source) if source else None
    drops = [drop for path in paths for drop in _under(path, named)]
    taken = [d for d in drops if year is None or d.year in (None, year)]
    unique = list({d.path.resolve(): d for d in taken}.values())
    if unique:
        return unique
    where = ", ".join(map(str, paths))
    raise PermuError(
        "no_files",
        f"{where}: no data file there{f' for {year}' if year else ''}; put files into <source>/ folders or name another path",
        f"{where}：没有{f' {year} 年的' if year else ''}数据文件；请把文件放入 <来源>/ 目录，或指定其他路径",
    )


def _under(path: Path, named: Source | None) -> Iterator[Drop]:
    if not path.exists():
        raise PermuError(
            "missing_folder",
            f"{path}: no such file or folder; check the path given to permu ingest",
            f"{path}：文件或目录不存在；请检查 permu ingest 的路径",
            path=str(path),
        )
    files = [path] if _is_one(path) else sorted(f for f in path.rglob("*") if _is_one(f) and not _left_out(f, path))
    known = {n: s for s in sources().values() for n in (s.source, *s.folders)}
    for file in files:
        yield _drop(file, path, named, known)


def _is_one(path: Path) -> bool:
    """A file, or a file geodatabase: a folder that is opened as one file."""
    return path.is_file() or (path.is_dir() and path.suffix.lower() == ".gdb")


def _left_out(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    if any(p.lower().endswith(".gdb") for p in parts[:-1]):
        return True
    if any(p.startswith(_HIDDEN) for p in parts) or file.suffix.lower() in _SIDECARS | _NO_DATA:
        return True
    if file.name.lower().endswith((".shp.xml", ".aux.xml")):
        return True
    shape = any(file.with_suffix(s).is_file() for s in (".shp", ".SHP"))
    return file.suffix.lower() == ".dbf" and shape


def _drop(file: Path, root: Path, named: Source | None, known: dict[str, Source]) -> Drop:
    folder = root if root.is_dir() else root.parent
    below = file.relative_to(folder).parts[:-1]
    # The folders from the given path down decide; of a single file, the folder that it lies in.
    above = folder.resolve()
    folders = [above.parent.name] if _YEAR.fullmatch(above.name) else []  # power/2024/file: the year's folder is passed
    folders += [above.name, *below]
    at = next((i for i in range(len(folders) - 1, -1, -1) if folders[i] in known), None)
    found = named or (known[folders[at]] if at is not None else None)
    if found is None:
        raise _no_source(file, list(sources()))
    inside = folders[1 if named or at is None else at + 1 :]
    label = "/".join([p for p in inside if not _YEAR.fullmatch(p)] + [file.name])
    return Drop(file, label, found, _year(file))


def _year(file: Path) -> int | None:
    """The nearest folder above the file that is exactly 20xx."""
    parents = [p.name for p in file.absolute().parents]
    return next((int(p) for p in parents if _YEAR.fullmatch(p)), None)


def _no_source(file: Path, known: list[str]) -> PermuError:
    names = ", ".join(known)
    return PermuError(
        "unknown_source",
        f"{file}: in no folder named as a source ({names}); move it into one or pass --source",
        f"{file}：不在以来源命名的目录中（{names}）；请移入相应目录，或用 --source 指定",
        path=str(file),
    )
