"""The grader's end of the zygote: starts it, asks it for sandboxes, replaces it when it dies."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.errors import ExecutionFault
from grader.execution.inside import wire
from grader.execution.packages import student_packages

INSIDE = Path(__file__).parent / "inside"
START_SECONDS = 120.0
SPAWN_SECONDS = 30.0
GRADER_DESCRIPTOR = 3

_current: Zygote | None = None


def current_zygote() -> Zygote:
    """This process's zygote, started when it is first needed and again when it has died.

    Raises:
        ExecutionFault: it did not start.
    """
    global _current  # noqa: PLW0603 - one zygote a process is the point
    if _current is None or not _current.alive():
        if _current is not None:
            _current.close()
        _current = Zygote()
    return _current


class Zygote:
    """A process that forks sandboxes; it was executed with an empty environment."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="nn-zygote-"))
        self._folder.chmod(0o755)
        shutil.copytree(
            INSIDE, self._folder / "nn_grader_inside", ignore=shutil.ignore_patterns("__pycache__")
        )
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = _execute(self._folder / "nn_grader_inside" / "zygote.py", theirs)
        atexit.register(self.close)
        self._expect("ready", START_SECONDS)

    def alive(self) -> bool:
        """Whether it still serves, and serves this process rather than its parent."""
        return self._owner == os.getpid() and self._process.poll() is None

    def spawn(self, order: dict[str, Any], agent: socket.socket) -> socket.socket:
        """Starts a sandbox; returns the socket to its supervisor.

        Raises:
            ExecutionFault: the zygote did not do it.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                deadline = time.monotonic() + SPAWN_SECONDS
                wire.send(self._socket, {"op": "spawn", "order": order}, [], deadline)
                socket.send_fds(self._socket, [b"+"], [theirs.fileno(), agent.fileno()])
            self._expect("spawned", SPAWN_SECONDS)
        except (wire.WireError, OSError) as error:
            ours.close()
            self.close()
            raise ExecutionFault(f"the zygote failed: {error}") from error
        return ours

    def close(self) -> None:
        """Ends it; sandboxes that it started live on until their own sockets close."""
        if self._owner != os.getpid():
            return
        self._socket.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _expect(self, event: str, seconds: float) -> None:
        try:
            reply, _ = wire.receive(self._socket, time.monotonic() + seconds)
        except wire.WireError as error:
            raise ExecutionFault(f"the zygote did not answer: {error}") from error
        if reply != {"event": event}:
            raise ExecutionFault(f"the zygote answered {reply!r}")


def _execute(script: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Executes the zygote with its socket at the agreed descriptor, and nothing else inherited."""
    low, high = GRADER_DESCRIPTOR, theirs.fileno()
    command = f'exec "$0" "$@" {low}<&{high} {high}<&-' if high != low else 'exec "$0" "$@"'
    return subprocess.Popen(  # noqa: S603 - a fixed command of ours
        [
            *("/bin/bash", "-c", command),
            *(sys.executable, "-S", "-s", "-P", str(script), os.pathsep.join(student_packages())),
        ],
        env={"PYTHONHASHSEED": "0"},
        cwd="/",
        pass_fds=(high,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
