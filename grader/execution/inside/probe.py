"""What a submission could do in this sandbox, found out by trying it.

The grader sends canaries as JSON: things that must not be reached. The answer
on the agent's socket is ``{attempt: bool}``, true where the attempt succeeded;
the grader judges it.
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


def answer(control: int, canaries: str) -> None:
    """Tries everything and reports what worked."""
    given = json.loads(canaries)
    found = {name: _works(attempt, given) for name, attempt in ATTEMPTS.items()}
    with socket.socket(fileno=control) as sock:
        wire.send(sock, found, [], time.monotonic() + SECONDS)


def _works(attempt: Callable[[dict[str, Any]], object], given: dict[str, Any]) -> bool:
    try:
        attempt(given)
    except (OSError, ImportError, AssertionError):
        return False
    return True


def _read_file(given: dict[str, Any]) -> None:
    with open(given["file"], encoding="utf-8") as file:
        file.read()


def _write_beside(given: dict[str, Any]) -> None:
    _create(os.path.join(os.path.dirname(given["file"]), "written"))


def _read_masked(given: dict[str, Any]) -> None:
    assert any(os.path.isfile(path) or os.listdir(path) for path in given["masked"] if _seen(path))


def _seen(path: str) -> bool:
    return os.path.exists(path) and not os.path.samefile(path, "/dev/null")


def _connect(given: dict[str, Any]) -> None:
    socket.create_connection(("127.0.0.1", given["port"]), SECONDS).close()


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
    import numpy.polynomial.chebyshev  # noqa: F401 - not among the preloaded modules


def _create(path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("x")


# A sandbox must allow these two, and nothing else.
ALLOWED = {"write_home": _write_home, "import_numpy": _import_numpy}
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
