"""What a submission could do in this sandbox, found out by trying it.

The grader sends canaries as JSON: things that must not be reached. The answer
on the agent's socket is ``{attempt: reason}``, the reason for which it failed
and empty where it succeeded; the grader judges it. Where the probe itself
breaks, the answer is ``{"broken": reason}``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from . import system, wire

SECONDS = 5.0
MAX_REASON_CHARACTERS = 500


def answer(control: int, canaries: str) -> None:
    """Tries everything and reports what worked."""
    with socket.socket(fileno=control) as sock:
        try:
            given = json.loads(canaries)
            found = {name: _failure(attempt, given) for name, attempt in ATTEMPTS.items()}
        except Exception as error:
            found = {"broken": _describe(error)}
        wire.send(sock, found, [], time.monotonic() + SECONDS)


def _failure(attempt: Callable[[dict[str, Any]], object], given: dict[str, Any]) -> str:
    try:
        attempt(given)
    except (OSError, ImportError, AssertionError) as error:
        return _describe(error)
    return ""


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_REASON_CHARACTERS]


def _read_file(given: dict[str, Any]) -> None:
    with open(given["file"], encoding="utf-8") as file:
        file.read()


def _write_beside(given: dict[str, Any]) -> None:
    _create(os.path.join(os.path.dirname(given["file"]), "written"))


def _read_masked(given: dict[str, Any]) -> None:
    assert any(_holds_something(path) for path in given["masked"])


def _holds_something(path: str) -> bool:
    try:
        if os.path.isdir(path):
            return bool(os.listdir(path))
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _connect(given: dict[str, Any]) -> None:
    with socket.socket() as sock:
        sock.settimeout(SECONDS)
        sock.connect(("127.0.0.1", given["port"]))


def _signal_grader(given: dict[str, Any]) -> None:
    os.kill(given["pid"], 0)


def _read_environment(given: dict[str, Any]) -> None:
    with open(f"/proc/{given['pid']}/environ", "rb") as file:
        assert file.read()


def _make_namespace(given: dict[str, Any]) -> None:
    system.unshare(system.CLONE_NEWUSER)


def _import_ours(given: dict[str, Any]) -> None:
    assert any(importlib.util.find_spec(name) for name in ("grader", "reference"))


def _write_home(given: dict[str, Any]) -> None:
    _create(os.path.join(os.environ["HOME"], "written"))


def _import_numpy(given: dict[str, Any]) -> None:
    import numpy as np

    # It is imported already; its files are what notebooks need more of.
    with open(np.__file__, "rb") as file:
        file.read()


def _import_standard_library(given: dict[str, Any]) -> None:
    # The standard library may lie elsewhere than the packages do, in a closed home.
    with open(os.__file__, "rb") as file:
        file.read()


def _open_null(given: dict[str, Any]) -> None:
    # Snapshots put it in place of the kernel's own input and output.
    with open(os.devnull, "r+b"):
        pass


def _create(path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("x")


# A sandbox must allow these, and nothing else.
ALLOWED = {
    "write_home": _write_home,
    "import_numpy": _import_numpy,
    "import_standard_library": _import_standard_library,
    "open_null": _open_null,
}
ATTEMPTS: dict[str, Callable[[dict[str, Any]], object]] = {
    **ALLOWED,
    "read_file": _read_file,
    "write_beside": _write_beside,
    "read_masked": _read_masked,
    "connect": _connect,
    "signal_grader": _signal_grader,
    "read_environment": _read_environment,
    "make_namespace": _make_namespace,
    "import_ours": _import_ours,
}
