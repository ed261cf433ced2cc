"""How a kernel's process is launched and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import ExecutionFault
from grader.execution import provisioner
from grader.execution.inside import wire
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.execution.provisioner import PlainProvisioner, SandboxProvisioner
from grader.execution.room import Room
from grader.execution.runner import run_notebook

OWN_GROUP = """
import os
leads = os.getpgrp() == os.getpid()
group, session = os.getpgrp(), os.getsid(0)
"""


def test_is_registered() -> None:
    """jupyter_client finds the provisioners under the names that kernel specs give."""
    group = entry_points(group="jupyter_client.kernel_provisioners")
    assert group["nn-grader"].load() is SandboxProvisioner
    assert group["nn-grader-plain"].load() is PlainProvisioner


def test_kernels_have_a_group_and_a_session_of_their_own(
    run_cells: Callable[..., Any], level: Level
) -> None:
    """A kernel leads its own process group and session, so that both can be ended at once."""
    ran = run_cells(OWN_GROUP, level=level)
    assert ran.value(1, "leads") is True
    assert ran.value(1, "group") != os.getpgrp()
    assert ran.value(1, "session") != os.getsid(0)


def test_the_end_of_a_kernel_spares_its_snapshots(run_cells: Callable[..., Any]) -> None:
    """Without a sandbox too, a killed kernel's snapshots answer on until the group is ended."""
    ran = run_cells("a = 1", boundaries=[1], level=Level.NONE)
    process = ran.execution.kernels[0]._client.km.provisioner.process
    process.kill()
    process.wait()
    assert ran.value(1, "a") == 1
    ran.execution.close()
    assert ran.processes_left() == []


def test_ending_twice_does_no_harm(run_cells: Callable[..., Any], level: Level) -> None:
    """A group that has gone can be ended again, and one that never was, too."""
    ran = run_cells("a = 1", boundaries=[], level=level)
    for _ in range(2):
        ran.execution.close()
    SandboxProvisioner().end_group()
    PlainProvisioner().end_group()


# --- a supervisor that goes away or says nothing --------------------------------------


def attached() -> tuple[SandboxProvisioner, socket.socket]:
    """A provisioner, and the supervisor's end of its socket."""
    ours, theirs = socket.socketpair()
    sandbox = SandboxProvisioner()
    sandbox.supervisor = ours
    return sandbox, theirs


def tell(theirs: socket.socket, **event: Any) -> None:
    """Says something as the supervisor."""
    wire.send(theirs, event, [], time.monotonic() + 5)


def test_events_are_heard_in_order() -> None:
    """A breach is known before the end that it causes, and the status is kept."""
    sandbox, theirs = attached()
    assert asyncio.run(sandbox.poll()) is None
    tell(theirs, event="breach", limit="memory")
    assert asyncio.run(sandbox.poll()) is None
    assert sandbox.breach == "memory"
    tell(theirs, event="exited", status=3)
    theirs.close()
    assert asyncio.run(sandbox.wait()) == 3
    sandbox.end_group()
    assert asyncio.run(sandbox.poll()) == 3


@pytest.mark.parametrize("said", [b"", b"garbage that is no frame at all, but long enough"])
def test_a_supervisor_that_has_gone_took_the_kernel_along(said: bytes) -> None:
    """A closed socket, or nonsense on it, is the end of the kernel rather than an error."""
    sandbox, theirs = attached()
    theirs.sendall(said)
    theirs.close()
    assert asyncio.run(sandbox.poll()) == -signal.SIGKILL
    assert asyncio.run(sandbox.wait()) == -signal.SIGKILL
    asyncio.run(sandbox.send_signal(signal.SIGINT))
    sandbox.end_group()
    assert not sandbox.has_process


def test_orders_reach_the_supervisor() -> None:
    """An interrupt and a kill are frames of their own, and none follows the kernel's end."""
    sandbox, theirs = attached()
    asyncio.run(sandbox.send_signal(signal.SIGINT))
    asyncio.run(sandbox.kill())
    asyncio.run(sandbox.terminate())
    received = [wire.receive(theirs, time.monotonic() + 5)[0] for _ in range(3)]
    assert received == [{"op": "interrupt"}, {"op": "kill"}, {"op": "kill"}]
    sandbox.exit_status = 0
    asyncio.run(sandbox.kill())
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    theirs.close()
    sandbox.end_group()


@pytest.mark.parametrize("ends", [True, False], ids=["ends", "hangs"])
def test_a_supervisor_that_never_answers_is_our_fault(
    monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """A sandbox that says nothing gives an ExecutionFault in the time that a start may take."""
    others = []

    class Silent:
        def spawn(self, order: Any, agent: socket.socket) -> socket.socket:
            ours, theirs = socket.socketpair()
            theirs.close() if ends else others.append(theirs)
            return ours

    monkeypatch.setattr(provisioner, "current_zygote", Silent)
    monkeypatch.setattr(provisioner, "END_SECONDS", 0.2)
    limits = Limits(cell=2, notebook=20, check=2, start=0.5)
    notebook = new_notebook(cells=[new_code_cell("a = 1")])
    start = time.monotonic()
    with Room({}, "a.ipynb") as room, pytest.raises(ExecutionFault, match="did not start"):
        run_notebook(notebook, [], room, limits, level=Level.LANDLOCK)
    assert time.monotonic() - start < 5
    for other in others:
        other.close()
