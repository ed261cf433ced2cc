"""The grader's end of the zygote: starts it, asks it for sandboxes, replaces it when it dies."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.errors import ExecutionFault
from grader.execution.folders import TemporaryFolder, remove_leftovers
from grader.execution.inside import wire
from grader.execution.packages import student_packages

INSIDE = Path(__file__).parent / "inside"
START_SECONDS = 120.0
SPAWN_SECONDS = 30.0

_current: Zygote | None = None
_starting = threading.Lock()


def current_zygote() -> Zygote:
    """This process's zygote, started when it is first needed and again when it has died.

    Raises:
        ExecutionFault: it did not start.
    """
    global _current  # noqa: PLW0603 - one zygote a process is the point
    with _starting:
        if _current is None or not _current.alive():
            if _current is not None:
                _current.close()
            _current = Zygote()
        return _current


def end_zygote() -> None:
    """Ends this process's zygote, where it has one and has no more use for it."""
    global _current  # noqa: PLW0603 - one zygote a process is the point
    with _starting:
        if _current is not None:
            _current.close()
        _current = None


class Zygote:
    """A process that forks sandboxes; it was executed with an empty environment."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._turn = threading.Lock()
        remove_leftovers()
        self._folder = TemporaryFolder("zygote-")
        self._folder.path.chmod(0o755)
        inside = self._folder.path / "nn_grader_inside"
        shutil.copytree(INSIDE, inside, ignore=shutil.ignore_patterns("__pycache__"))
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = _execute(inside / "zygote.py", theirs)
        atexit.register(self.close)
        try:
            self._expect("ready", START_SECONDS)
        except ExecutionFault:
            self.close()
            raise

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
            with theirs, self._turn:
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
        self._socket.close()
        if self._owner != os.getpid():
            # A fork's parent goes on using the process; asked for it, the fork forgets it.
            self._process.poll()
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.close()
        atexit.unregister(self.close)

    def _expect(self, event: str, seconds: float) -> None:
        try:
            reply, _ = wire.receive(self._socket, time.monotonic() + seconds)
        except wire.WireError as error:
            raise ExecutionFault(f"the zygote did not answer: {error}") from error
        if reply != {"event": event}:
            raise ExecutionFault(f"the zygote answered {reply!r}")


def _execute(script: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Executes the zygote, which inherits its socket and nothing else."""
    descriptor = theirs.fileno()
    packages = os.pathsep.join(student_packages())
    return subprocess.Popen(  # noqa: S603 - a fixed command of ours
        [sys.executable, "-S", "-s", "-P", str(script), packages, str(descriptor)],
        env={"PYTHONHASHSEED": "0"},
        cwd="/",
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
