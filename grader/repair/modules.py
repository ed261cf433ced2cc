"""Modules that code imports and that are not where it was written: elsewhere, or not installed."""

from __future__ import annotations

import functools
import posixpath
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder

from grader.execution.packages import student_packages

# What stands in for these does not fail when it is used.
HARMLESS = {
    "tqdm": "a stand-in runs through without a bar",
    "numba": "functions run as plain Python",
    "seaborn": "its settings have no effect, and its figures fail",
}


@dataclass(frozen=True)
class Modules:
    """`elsewhere` has the file or folder by module, `absent` what is nowhere.

    `said` are sentences, each with the package that it is about.
    """

    elsewhere: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


@functools.cache
def is_installed(module: str) -> bool:
    """Whether a submission can import a package here."""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names:
        return True
    return PathFinder.find_spec(root, list(student_packages())) is not None


def find_modules(
    imported: Iterable[str],
    files: Sequence[str],
    folder: str,
    unavailable: Collection[str] = (),
    installed: Callable[[str], bool] = is_installed,
) -> Modules:
    """What becomes of the imports of a notebook in `folder`, whose files are `files`.

    `unavailable` are modules that the assignment allows to be missing.
    """
    elsewhere: dict[str, str] = {}
    absent: list[str] = []
    said: list[tuple[str, str]] = []
    for root in sorted({name.partition(".")[0] for name in imported} - {"google"}):
        places = _places(root, files)
        beside = [place for place in places if posixpath.dirname(place) == _plain(folder)]
        if installed(root):
            if beside:
                said.append((root, _shadowing(root, beside[0])))
        elif beside:
            said += _several(root, beside[0], places)
        elif places:
            elsewhere[root] = _nearest(places, folder)
            said.append((root, f"{root} is not beside the notebook: {elsewhere[root]} was taken"))
            said += _several(root, elsewhere[root], places)
        elif root not in unavailable:
            absent.append(root)
            what = HARMLESS.get(root, "what uses it fails")
            said.append((root, f"{root} is neither installed here nor handed in: {what}"))
    return Modules(elsewhere, tuple(absent), tuple(said))


def _plain(folder: str) -> str:
    return "" if folder == "." else folder


def _places(root: str, files: Sequence[str]) -> list[str]:
    """The files `root.py`, and the folders `root` with code in them."""
    found = {name for name in files if name == f"{root}.py" or name.endswith(f"/{root}.py")}
    for name in files:
        parts = name.split("/")
        if name.endswith(".py") and root in parts[:-1]:
            found.add("/".join(parts[: parts.index(root) + 1]))
    return sorted(found)


def _nearest(places: Sequence[str], folder: str) -> str:
    def distance(place: str) -> tuple[int, str]:
        steps = posixpath.relpath(posixpath.dirname(place) or ".", folder or ".").split("/")
        return len([step for step in steps if step != "."]), place

    return min(places, key=distance)


def _several(root: str, taken: str, places: Sequence[str]) -> list[tuple[str, str]]:
    others = [place for place in places if place != taken and not place.startswith(f"{taken}/")]
    if not others:
        return []
    listed = ", ".join(others)
    return [(root, f"`import {root}` takes {taken}, unless the code says otherwise; also {listed}")]


def _shadowing(root: str, place: str) -> str:
    whose = "Python's own" if root in sys.stdlib_module_names else "an installed package's"
    return f"{place} has {whose} name: `import {root}` may not take it; rename it"
