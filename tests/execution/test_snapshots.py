"""The grader's ends of the sockets, against snapshots and copies that lie or have gone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grader.errors import (
    MissingName,
    StudentDied,
    StudentRaised,
    StudentTimeout,
    UnreadableAnswer,
)
from grader.execution.inside import wire
from grader.execution.snapshots import Copy, Snapshot, SnapshotLost

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The grader's end and the other one."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def answering(theirs: socket.socket, answer: Callable[[Any], Any]) -> threading.Thread:
    """Answers one request with what `answer` makes of it."""

    def serve() -> None:
        deadline = time.monotonic() + 5
        request, _ = wire.receive(theirs, deadline)
        wire.send(theirs, answer(request), [], deadline)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def request(pair: Pair, answer: Callable[[Any], Any]) -> Any:
    """What a copy's request gives when the other side answers so."""
    thread = answering(pair[1], answer)
    try:
        copy = Copy(pair[0], lambda: None, 3)
        return copy.request("lookup", {}, lambda tree: tree, name="x")
    finally:
        thread.join()


def test_a_closed_snapshot_is_lost(run_cells: Callable[..., Any]) -> None:
    """A snapshot that was closed makes no more copies, and its process ends."""
    ran = run_cells("a = 1", boundaries=[1])
    snapshot, alive = ran.execution.snapshots[1], len(ran.processes())
    copy = snapshot.copy(3)
    snapshot.close()
    with pytest.raises(SnapshotLost):
        snapshot.copy(3)
    assert copy.request("lookup", {}, lambda tree: tree, name="a") == 1
    copy.close()
    deadline = time.monotonic() + 3
    while len(ran.processes()) >= alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(ran.processes()) == alive - 1


def test_a_snapshot_whose_process_was_killed_is_lost(pair: Pair) -> None:
    """A snapshot whose other side has gone raises SnapshotLost, not an error of sockets."""
    pair[1].close()
    with pytest.raises(SnapshotLost):
        Snapshot(pair[0]).copy(3)


@pytest.mark.parametrize(
    "reply",
    [None, [], "x", {}, {"copy": None}, {"copy": float("1e308")}, {"copy": True}, {"copy": "0"}],
    ids=str,
)
def test_a_snapshot_that_lies_is_lost(pair: Pair, reply: Any) -> None:
    """A snapshot that does not say which copy it made raises SnapshotLost."""
    thread = answering(pair[1], lambda request: reply)
    with pytest.raises(SnapshotLost):
        Snapshot(pair[0]).copy(3)
    thread.join()


def test_an_infinite_copy_number_is_refused(pair: Pair) -> None:
    """JSON knows an Infinity that Python's integers do not."""
    header = b'{"content": {"copy": Infinity}, "arrays": []}'
    pair[1].sendall(wire.PREFIX.pack(wire.MAGIC, len(header), 0) + header)
    with pytest.raises(SnapshotLost):
        Snapshot(pair[0]).copy(3)


def test_an_answer_is_returned(pair: Pair) -> None:
    """A reply with the request's id and a value is the answer."""
    assert request(pair, lambda asked: {"id": asked["id"], "value": [1]}) == [1]


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: None,
        lambda asked: [],
        lambda asked: {"value": 1},
        lambda asked: {"id": "guessed", "value": 1},
        lambda asked: {"id": asked["id"], "error": "text"},
        lambda asked: {"id": asked["id"], "value": {"$": "array", "v": 0}},
    ],
)
def test_answers_that_lie_are_unreadable(pair: Pair, answer: Callable[[Any], Any]) -> None:
    """An answer without the request's id, or of another form, is UnreadableAnswer."""
    with pytest.raises(UnreadableAnswer):
        request(pair, answer)


@pytest.mark.parametrize(
    ("error", "fault", "message"),
    [
        ({"kind": "missing", "text": "x"}, MissingName, "`x` is not defined"),
        ({"kind": "unreadable", "text": "no"}, UnreadableAnswer, "cannot be used: no"),
        ({"type": "E", "text": "t", "where": "w"}, StudentRaised, "raised E: t \\(in w\\)"),
        ({"type": ["E"], "text": {}, "where": 10**400}, StudentRaised, "your code raised"),
        ({"type": "E", "text": "x" * 100_000}, StudentRaised, "x{100}"),
    ],
    ids=["missing", "unreadable", "raised", "odd", "long"],
)
def test_errors_become_faults(pair: Pair, error: Any, fault: type[Exception], message: str) -> None:
    """Each kind of error is a fault of its own, in one sentence of bounded length."""
    with pytest.raises(fault, match=message) as caught:
        request(pair, lambda asked: {"id": asked["id"], "error": error})
    assert len(str(caught.value)) < 7000


def test_a_copy_that_has_gone_died(pair: Pair) -> None:
    """A closed copy is StudentDied."""
    pair[1].close()
    with pytest.raises(StudentDied):
        Copy(pair[0], lambda: None, 3).request("lookup", {}, lambda tree: tree, name="x")


def test_a_silent_copy_times_out(pair: Pair) -> None:
    """A copy that does not answer is StudentTimeout, and so are its later requests."""
    copy = Copy(pair[0], lambda: None, 0.2)
    for _ in range(2):
        with pytest.raises(StudentTimeout, match=r"within the check's 0\.2 seconds"):
            copy.request("lookup", {}, lambda tree: tree, name="x")


def test_closing_discards_the_copy(pair: Pair) -> None:
    """Closing a copy closes its socket and has its process killed."""
    discarded: list[bool] = []
    Copy(pair[0], lambda: discarded.append(True), 1).close()
    assert discarded == [True]
    assert pair[1].recv(1) == b""
