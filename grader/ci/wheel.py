"""This installation of the grader as a wheel, and the versions that it runs with.

The grader need not be on a package index: what runs elsewhere carries it along. A wheel is a zip
file with a list of its contents (https://packaging.python.org/specifications/binary-distribution-format/),
written here from the installed files, whether the installation is an editable one or not.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    packages_distributions,
)
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grader.ci.writing import zipped
from grader.errors import UsageError

NAME = "nn-grader"
KEPT_METADATA = ("METADATA", "entry_points.txt")
WHEEL = "Wheel-Version: 1.0\nGenerator: nn-grader\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PACKAGE = Path(__file__).parents[1]
# Solutions of our own: no business of whoever gets the wheel.
ASSIGNMENTS = "grader/assignments/"
REFERENCE = "reference"


def wheel_name() -> str:
    """The name that pip expects of the wheel's file."""
    return f"nn_grader-{distribution(NAME).version}-py3-none-any.whl"


def make_wheel(*, for_students: bool) -> bytes:
    """The wheel, without the bundled assignments; for students also without `reference`.

    `reference` holds the networks that students are asked to write; only checks need it.
    """
    packages = ("grader",) if for_students else ("grader", REFERENCE)
    files = {name: path.read_bytes() for name, path in _sources(packages)}
    files |= _metadata(distribution(NAME))
    return _zipped(files)


def _sources(packages: Iterable[str]) -> Iterator[tuple[str, Path]]:
    for package in packages:
        for path in sorted((PACKAGE.parent / package).rglob("*")):
            name = path.relative_to(PACKAGE.parent).as_posix()
            is_ours = "__pycache__" not in path.parts and not name.startswith(ASSIGNMENTS)
            if path.is_file() and is_ours:
                yield name, path


def _metadata(found: Distribution) -> dict[str, bytes]:
    folder = f"nn_grader-{found.version}.dist-info"
    texts = {name: found.read_text(name) for name in KEPT_METADATA}
    missing = [name for name, text in texts.items() if not text]
    if missing:
        raise UsageError(
            f"{NAME} is not installed as a whole ({missing[0]} is missing): install it"
        )
    kept = {f"{folder}/{name}": (text or "").encode() for name, text in texts.items()}
    return {**kept, f"{folder}/WHEEL": WHEEL.encode(), f"{folder}/RECORD": b""}


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The wheel's bytes: the same files give the same ones."""
    record = next(name for name in files if name.endswith("/RECORD"))
    return zipped({**files, record: _record(files, record)})


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow(
            [name, "", ""] if name == record else [name, f"sha256={digest}", len(content)]
        )
    return text.getvalue().encode()


def distributions_of(modules: Iterable[str]) -> tuple[str, ...]:
    """The packages to be installed for an assignment's modules, as far as they are known here."""
    known = packages_distributions()
    roots = (module.partition(".")[0] for module in modules)
    found = (name for root in roots for name in known.get(root, [])[:1])
    return tuple(sorted({canonicalize_name(name) for name in found}))


def constraints(extra: Iterable[str]) -> str:
    """A pip constraints file: everything that the grader and `extra` packages use here, pinned."""
    pinned: dict[str, str] = {}
    waiting = [NAME, *extra]
    while waiting:
        name = canonicalize_name(waiting.pop())
        found = _installed(name)
        if name in pinned or found is None:
            continue
        pinned[name] = found.version
        waiting += _needs(found)
    pinned.pop(NAME)
    return "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items()))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        # A dependency that only other systems have.
        return None


def _needs(found: Distribution) -> list[str]:
    """What a package needs on this system, extras left out."""
    required = [Requirement(text) for text in found.requires or ()]
    return [r.name for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
