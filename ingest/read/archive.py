""".zip: unpacked into a temporary folder within bounds, then every data file in it is read as if it had come alone.

Bounds hold before unpacking (what the archive says of itself) and while unpacking (what really comes out): an archive that
lies about its sizes stops at the stated size. Names never leave the folder, links and archives in the archive are refused.
"""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from engine.schema.errors import PermuError
from ingest.read.sheet import Sheet, holding, unreadable

MAX_FILES = 2_000
MAX_BYTES = 8 << 30
# Text with many repeats packs 1:50; zeros pack 1:1000.
_MAX_RATIO, _RATIO_FROM = 200, 64 << 20
_CHUNK = 1 << 20
_SIDECARS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".qmd", ".idx", ".lock", ".xml"}
_NO_DATA = {".md", ".ini", ".db", ".tmp", ".doc", ".docx", ".pdf", ".jpg", ".png"}
_ARCHIVES = {".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar"}
_BESIDE = ("__MACOSX", ".", "~$", "Thumbs.db", "desktop.ini")


def holds_files(path: Path) -> bool:
    """Whether a file that begins like a zip is an archive of files, not a workbook (which is a zip inside)."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = {n.lower() for n in packed.namelist()[:MAX_FILES]}
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return path.suffix.lower() == ".zip"
    workbook = {"[content_types].xml", "xl/workbook.xml", "xl/workbook.bin", "content.xml"} & names
    return not workbook


def open_sheets(path: Path, read: Callable[[Path], list[Sheet]]) -> list[Sheet]:
    """The sheets of every data file in the archive; a sheet's name begins with the file's name in the archive.

    Raises:
        PermuError: ``unreadable_file``: a bound is exceeded, a name leaves the folder, it is encrypted, or nothing is in it.
    """
    folder = tempfile.TemporaryDirectory(prefix="permu-")
    root = Path(folder.name)
    try:
        with zipfile.ZipFile(path) as packed:
            _unpack(path, packed, root)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise unreadable(path, f"the archive is damaged: {error}", f"压缩包已损坏：{error}") from None
    sheets = [s for file in _data_files(root) for s in _named(path, root, file, read)]
    if not sheets:
        raise unreadable(path, "it holds no data file", "压缩包内没有数据文件")
    return holding(sheets, folder)


def _unpack(path: Path, packed: zipfile.ZipFile, root: Path) -> None:
    members = [m for m in packed.infolist() if not m.is_dir()]
    names = [_name(path, m) for m in members]
    _bounded(path, packed.infolist(), members)
    for member, name in zip(members, names, strict=True):
        if not any(part.startswith(_BESIDE) for part in PurePosixPath(name).parts):
            _write(path, packed, member, root / name)


def _name(path: Path, member: zipfile.ZipInfo) -> str:
    """The name within the folder; Chinese names are GBK where the archive does not say UTF-8."""
    name = member.filename
    if not member.flag_bits & 0x800:
        # zipfile has read the bytes as cp437.
        raw = name.encode("cp437", "replace")
        name = next((t for e in ("utf-8", "gb18030") if (t := _decoded(raw, e))), name)
    pure = PurePosixPath(name.replace("\\", "/"))
    link = stat.S_ISLNK(member.external_attr >> 16)
    inside = not pure.is_absolute() and ".." not in pure.parts and ":" not in name and "\0" not in name
    if link or not inside or len(name.encode()) > 1000 or any(len(p.encode()) > 255 for p in pure.parts):
        raise unreadable(path, f"a name in it leads elsewhere: {name[:80]!r}", f"压缩包内文件名指向外部：{name[:80]!r}")
    return str(pure)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _bounded(path: Path, entries: list[zipfile.ZipInfo], members: list[zipfile.ZipInfo]) -> None:
    total = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if len(entries) > MAX_FILES:
        raise _too_much(path, f"{len(entries)} files", f"{len(entries)} 个文件")
    if total > MAX_BYTES or (total > _RATIO_FROM and total > _MAX_RATIO * max(packed, 1)):
        raise _too_much(path, f"{total >> 20} MB when unpacked", f"解开后 {total >> 20} MB")
    if nested := next((m.filename for m in members if PurePosixPath(m.filename.lower()).suffix in _ARCHIVES), None):
        raise unreadable(
            path, f"an archive in the archive ({nested}); unpack it", f"压缩包内还有压缩包（{nested}）；请先解开"
        )
    if any(m.flag_bits & 1 for m in members):
        raise unreadable(
            path, "it is protected with a password; pack it without one", "压缩包有密码；请去掉密码后重新打包"
        )


def _too_much(path: Path, en: str, zh: str) -> PermuError:
    limit = f"{MAX_FILES} files, {MAX_BYTES >> 30} GB"
    return unreadable(
        path,
        f"too much in it ({en}; limit {limit}); unpack it and give the folder",
        f"内容过多（{zh}）；请解开后给出目录",
    )


def _write(path: Path, packed: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with packed.open(member) as source, target.open("xb") as out:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _too_much(
                    path, f"{member.filename} is larger than it says", f"{member.filename} 大于所注明的大小"
                )
            out.write(chunk)


def _data_files(root: Path) -> list[Path]:
    """Data files, a .gdb folder as one; parts of a layer and papers beside the data are left out."""
    found = []
    for file in sorted(root.rglob("*")):
        inside = any(p.suffix.lower() == ".gdb" for p in file.relative_to(root).parents if p.name)
        geodatabase = file.is_dir() and file.suffix.lower() == ".gdb"
        if not inside and (geodatabase or (file.is_file() and not _beside(file))):
            found.append(file)
    return found


def _beside(file: Path) -> bool:
    suffix = file.suffix.lower()
    if suffix == ".dbf":
        return any(file.with_suffix(s).is_file() for s in (".shp", ".SHP"))
    return suffix in _SIDECARS | _NO_DATA


def _named(path: Path, root: Path, file: Path, read: Callable[[Path], list[Sheet]]) -> list[Sheet]:
    inner = file.relative_to(root).as_posix()
    if file.is_file() and zipfile.is_zipfile(file) and holds_files(file):
        raise unreadable(
            path, f"an archive in the archive ({inner}); unpack it", f"压缩包内还有压缩包（{inner}）；请先解开"
        )
    try:
        sheets = read(file)
    except PermuError as error:
        # The person knows the archive, not the folder that it was unpacked into.
        texts = [text.replace(str(file), f"{path} → {inner}") for text in (error.en, error.zh)]
        raise PermuError(error.code, texts[0], texts[1], path=str(path)) from None
    for sheet in sheets:
        sheet.name = f"{inner}/{sheet.name}" if sheet.name else inner
    return sheets
