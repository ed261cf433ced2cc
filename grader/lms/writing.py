"""Writing what a plan holds, and showing it beforehand."""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.lms.names import unsafe
from grader.lms.records import Form, OutputFile, Plan
from grader.reports.plain import one_line

EPOCH = (1980, 1, 1, 0, 0, 0)


def write(plan: Plan, out: Path) -> list[Path]:
    """Writes a plan's files to `out`: a file, a zip file or a folder; returns their paths.

    A file is complete or not there at all, so that `out` may be the sheet that
    was read.

    Raises:
        UsageError: it cannot be written there.
    """
    for file in plan.files:
        _require_inside(file.name)
    try:
        if plan.form is Form.FOLDER:
            return [_write_one(file, out / file.name) for file in plan.files]
        out.parent.mkdir(parents=True, exist_ok=True)
        if plan.form is Form.ZIP:
            return [_write_zip(plan, out)]
        return [_write_one(plan.files[0], out)]
    except OSError as error:
        raise UsageError(f"{out}: it cannot be written ({error.strerror or error})") from error


def _require_inside(name: str) -> None:
    path = PurePosixPath(name)
    odd = any(unsafe(letter) for letter in name.replace("/", ""))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name or odd:
        raise UsageError(f"{name!r} is no name for a file that is written")


def _write_one(file: OutputFile, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(out) as temporary:
        temporary.write_bytes(_bytes(file))
    return out


def _write_zip(plan: Plan, out: Path) -> Path:
    with _replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for file in plan.files:
            # The same plan gives the same bytes.
            entry = zipfile.ZipInfo(file.name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _bytes(file))
    return out


def _bytes(file: OutputFile) -> bytes:
    return file.content if isinstance(file.content, bytes) else file.content.read_bytes()


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    temporary = out.with_name(f".{secrets.token_hex(6)}.part")
    try:
        yield temporary
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def described(plan: Plan) -> list[str]:
    """What a plan would do, a line for each change and each thing left out."""
    lines = [
        f"{_who(change.id, change.name)}: {one_line(change.column)}: "
        f"{_shown(change.old)} -> {_shown(change.new)}"
        for change in plan.changes
    ]
    lines += [f"left out: {_who(s.id, s.name)}: {one_line(s.reason)}" for s in plan.skipped]
    lines += [f"note: {one_line(note)}" for note in plan.notes]
    return [*lines, summary(plan)]


def summary(plan: Plan) -> str:
    """One line on a plan as a whole."""
    counts = [f"{len(plan.changes)} changed", f"{plan.unchanged} the same"]
    if not plan.changes and not plan.unchanged:
        counts = [f"{len(plan.files)} {'file' if len(plan.files) == 1 else 'files'}"]
    return f"{plan.system}: {', '.join(counts)}, {len(plan.skipped)} left out"


def _who(identity: str, name: str) -> str:
    shown = one_line(identity)
    return f"{shown} ({one_line(name)})" if name and name != identity else shown


def _shown(cell: str) -> str:
    text = one_line(cell)
    return f"{text[:60]}…" if len(text) > 60 else text or "(empty)"
