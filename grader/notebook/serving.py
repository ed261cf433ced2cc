"""The kernel's end of `%check`: hands a copy of its namespace to a process that judges it.

The copy is a fork where the system has one, so that checks can change nothing
in the kernel and a function that does not stop can be killed; else, or where
the fork does not answer, the variables themselves are copied
(`grader.execution.inside.keeper`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grader
from grader.execution.inside import agent, keeper, wire
from grader.execution.isolation import can_fork

END_SECONDS = 5.0
START = """
import sys
sys.path.append({path!r})
from grader.selfcheck.starting import leave_out_grammars
leave_out_grammars()
from grader.notebook.judging import main
main()
"""


@dataclass(frozen=True)
class Judgement:
    """What is shown, as HTML and as text; or why there is nothing to show."""

    html: str = ""
    text: str = ""
    error: str = ""
    unanswered: bool = False


def judge(shell: Any, request: dict[str, Any]) -> Judgement:
    """The outcome of the checks that are asked for, on what the shell holds now."""
    if can_fork():
        judgement = _judge_fork(shell, request)
        if not judgement.unanswered:
            return judgement
    return _judge_copies(shell, request)


def _judge_fork(shell: Any, request: dict[str, Any]) -> Judgement:
    ours, theirs = socket.socketpair()
    with ours, theirs, _forked(theirs, shell):
        theirs.close()
        descriptor = ours.fileno()
        with _judging({**request, "descriptor": descriptor}, (descriptor,)) as process:
            ours.close()
            return _read(process)


@contextmanager
def _forked(sock: socket.socket, shell: Any) -> Iterator[None]:
    """A snapshot of this process that serves on `sock`."""
    with warnings.catch_warnings():
        # That there are threads is known: it is why the fork need not answer.
        warnings.simplefilter("ignore")
        pid = agent.fork_server(sock.fileno(), agent.serve_silently, shell)
    try:
        yield
    finally:
        _await(pid)


def _await(pid: int) -> None:
    """The snapshot ends with its socket; if not, it is ended."""
    deadline = time.monotonic() + END_SECONDS
    with suppress(ChildProcessError, ProcessLookupError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.01)


def _judge_copies(shell: Any, request: dict[str, Any]) -> Judgement:
    with _judging(request) as process:
        assert process.stdout is not None
        said = _parse(process.stdout.readline())
        if "listening" not in said:
            return _judgement(said)
        with keeper.connect(str(said["listening"])) as sock:
            kept = keeper.Keeper(sock, shell)
            wire.send(sock, {"kept": kept.keep()}, [], agent.FOREVER)
            kept.serve()
        return _read(process)


@contextmanager
def _judging(
    request: dict[str, Any], descriptors: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that judges; it is ended when the cell is interrupted."""
    package = str(Path(grader.__file__).resolve().parents[1])
    command = [sys.executable, "-P", "-c", START.format(path=package)]
    # Not in the notebook's folder, where a student's file may be called like one of Python's own.
    process = subprocess.Popen(  # noqa: S603 - a fixed command of ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "MPLBACKEND": "agg"},
        pass_fds=descriptors,
    )
    try:
        with suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.write(json.dumps({**request, "kernel": os.getpid()}).encode())
            process.stdin.close()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _read(process: subprocess.Popen[bytes]) -> Judgement:
    assert process.stdout is not None
    assert process.stderr is not None
    said = _parse(process.stdout.readline())
    process.wait()
    if not said:
        ends = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        return Judgement(error=f"the checks could not be run: {''.join(ends) or 'no word'}")
    return _judgement(said)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _judgement(said: dict[str, Any]) -> Judgement:
    return Judgement(
        html=str(said.get("html", "")),
        text=str(said.get("text", "")),
        error=str(said.get("error", "")),
        unanswered=said.get("unanswered") is True,
    )
