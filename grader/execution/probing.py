"""Which level of isolation this machine reaches, found out by running whole sandboxes."""

from __future__ import annotations

import functools
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.errors import ExecutionFault
from grader.execution.inside import wire
from grader.execution.isolation import Level, candidates, make_order
from grader.execution.limits import COURSEWORK
from grader.execution.packages import hidden_entries
from grader.execution.room import Room
from grader.execution.zygote import current_zygote

PROBE_SECONDS = 20.0


@functools.cache
def reached_level() -> Level:
    """The strongest level whose sandbox held everything in; `none` where none did."""
    for level in candidates():
        if not failings(level):
            return level
    return Level.NONE


@functools.cache
def failings(level: Level) -> tuple[str, ...]:
    """What a sandbox of this level does wrong here; empty where it is sound."""
    try:
        found = _probe(level)
    except ExecutionFault:
        # A crowded machine may need a second try; a level that is lost is lost for good.
        try:
            found = _probe(level)
        except ExecutionFault as error:
            return (str(error),)
    if "broken" in found:
        return (str(found["broken"]),)
    from grader.execution.inside.probe import ALLOWED, ATTEMPTS  # for Linux alone

    refused = {name for name in ATTEMPTS if found.get(name)}
    leaks = [_words(name) for name in ATTEMPTS if name not in ALLOWED and name not in refused]
    lacks = [
        f"cannot {_words(name)} ({found.get(name) or 'it did not say why'})"
        for name in ALLOWED
        if found.get(name) != ""
    ]
    return (*leaks, *lacks)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _probe(level: Level) -> dict[str, Any]:
    with Room({}, "probe.ipynb") as room, _canaries() as canaries:
        return _answers(level, room, canaries)


def _answers(level: Level, room: Room, canaries: dict[str, Any]) -> dict[str, Any]:
    ours, theirs = socket.socketpair()
    with ours:
        asked = [json.dumps(canaries)]
        order = make_order(level, room, room.new_sockets(), COURSEWORK, asked, purpose="probe")
        with theirs:
            supervisor = current_zygote().spawn(order, theirs)
        with supervisor:
            try:
                deadline = time.monotonic() + PROBE_SECONDS
                event, _ = wire.receive(supervisor, deadline)
                if event.get("event") != "ready":
                    raise ExecutionFault(f"it could not be built: {event.get('reason')}")
                found, _ = wire.receive(ours, deadline)
            except wire.WireError as error:
                raise ExecutionFault(f"it ended: {error}") from error
    return found if isinstance(found, dict) else {}


@contextmanager
def _canaries() -> Iterator[dict[str, Any]]:
    """Things that are within reach of this user, and must not be of a submission."""
    with tempfile.TemporaryDirectory(prefix="nn-canary-") as folder, socket.socket() as listener:
        path = Path(folder) / "canary"
        path.write_text("sings", encoding="utf-8")
        path.chmod(0o644)
        Path(folder).chmod(0o777)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield {
            "file": str(path),
            "port": listener.getsockname()[1],
            "pid": os.getpid(),
            "masked": [str(entry) for entry in hidden_entries()],
        }
