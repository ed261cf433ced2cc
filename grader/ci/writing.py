"""Writing a package: a zip file or a folder, whole or not at all."""

from __future__ import annotations

import io
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from grader.errors import UsageError
from grader.lms.writing import EPOCH

EXECUTABLE = frozenset({"setup.sh", "run_autograder", "autograder.py"})


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files into a folder that is new or empty.

    Raises:
        UsageError: there is something in it, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: give a new folder, or empty this one")
    try:
        for name, content in sorted(files.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(_mode(name))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"{folder}: it cannot be written ({error.strerror})") from error


def write_zip(files: Mapping[str, bytes], path: Path) -> None:
    """Writes the files as a zip file; the same files give the same bytes.

    Raises:
        UsageError: it cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give the name of a zip file")
    temporary = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(zipped(files))
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip file's bytes; the same files give the same ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = _mode(name) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _mode(name: str) -> int:
    return 0o755 if name in EXECUTABLE else 0o644
