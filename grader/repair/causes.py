"""What was missing where a cell raised an error of the environment's, and the cure."""

from __future__ import annotations

import re
from collections.abc import Collection

from grader.execution.inside.elsewhere import parts_of, shown
from grader.repair.kinds import RepairKind
from grader.repair.modules import is_installed
from grader.repair.names import find_gone

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_NO_FILE = re.compile(
    r"FileNotFoundError: (?:\[Errno 2\] No such file or directory: ['\"](.+?)['\"]|(.+?) not found)"
)
_NO_NAME = re.compile(
    r"(?:AttributeError: module|ImportError: cannot import name) '([\w.]+)'"
    r"(?: has no attribute| from) '([\w.]+)'"
)
_NO_NETWORK = re.compile(
    r"^(?:URLError|gaierror|ConnectionError|NewConnectionError|MaxRetryError|HTTPError)\b"
    r"|name resolution|Network is unreachable|URL fetch failure"
)


def explain(error: str, files: Collection[str], kinds: Collection[str]) -> str:
    """What was missing where `error` says that something of the environment was; "" else.

    `files` are the names of the files that were there.
    """
    if found := _NO_MODULE.search(error):
        return _module(found[1].partition(".")[0], kinds)
    if found := _NO_FILE.search(error):
        return _file(found[1] or found[2], files, kinds)
    if found := _NO_NAME.search(error):
        one, other = found[1], found[2]
        module, name = (one, other) if "has no attribute" in error else (other, one)
        return _name(f"{module}.{name}", kinds)
    if _NO_NETWORK.search(error):
        return "there is no network where this was graded: the data has to be among the files"
    return ""


def _module(name: str, kinds: Collection[str]) -> str:
    if name == "google" and RepairKind.COLAB not in kinds:
        return "Colab's modules exist in Colab alone; the repair `colab` is turned off"
    if is_installed(name):
        return ""
    return (
        f"{name} is neither installed where this was graded nor among the files: "
        "install it there, or hand it in"
    )


def _file(path: str, files: Collection[str], kinds: Collection[str]) -> str:
    parts = parts_of(path)
    if not parts:
        return ""
    there = [name for name in files if parts_of(name)[-1] == parts[-1]]
    if there and RepairKind.FILES not in kinds:
        return f"there is {there[0]}, but the repair `files` is turned off"
    if there:
        return ""
    return (
        f"{shown(path)} is neither among the files handed in nor among the assignment's: to be "
        "read, it has to be handed in or put into the assignment's files/; to be written, its "
        "folder has to be there"
    )


def _name(dotted: str, kinds: Collection[str]) -> str:
    if RepairKind.NAMES in kinds or not find_gone([dotted]):
        return ""
    return f"{dotted} is gone from the installed version; the repair `names` is turned off"
