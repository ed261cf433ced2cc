"""The zygote: a process that has imported what notebooks use, and forks submissions.

Executed with an empty environment and two arguments: ``PACKAGES``, the folders
to import from, joined by ``os.pathsep``, and the descriptor of its socket to
the grader. There it says ``{"event": "ready"}`` once and then obeys
``{"op": "spawn", "order": {…}}``, followed by one byte with two descriptors:
the supervisor's socket and the agent's control socket. It answers ``{"event":
"spawned"}``. It never holds anything of a submission but the paths and limits
in the order, has one thread, and ends when its socket closes.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    sys.path += sys.argv[1].split(os.pathsep)
    # Before numpy is imported below: a thread of BLAS's would not survive the forks.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

# As a script this file stands in a folder of its own, which is then a package.
if not __package__:
    __package__ = "nn_grader_inside"
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    importlib.import_module(__package__)

from . import agent, outputs, probe, supervisor, system, wire  # isort: skip

if __name__ == "__main__":
    sys.path.pop(0)

FOREVER = float(10**9)
SEND_SECONDS = 30.0
# What a coursework notebook imports, as far as it is installed.
PRELOADED = (
    *("numpy", "scipy", "scipy.optimize", "IPython.core.interactiveshell", "ipykernel.kernelapp"),
    *("ipykernel.ipkernel", "ipykernel.zmqshell", "matplotlib", "matplotlib.pyplot"),
    *("matplotlib_inline.backend_inline", "matplotlib.backends.backend_agg"),
    *("sklearn.datasets", "pandas"),
    # What a kernel would else import while it starts.
    *("IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect"),
    *("IPython.extensions.storemagic", "ipykernel.debugger", "tornado.platform.asyncio"),
    *("tornado.locks", "tornado.queues", "IPython.utils.wildcard"),
)


def main(descriptor: int) -> None:
    """Serves until the grader closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    grader = socket.socket(fileno=descriptor)
    grader.set_inheritable(False)
    # Supervisors become children of this process, which reaps them: not every system's first does.
    system.become_subreaper()
    preload()
    wire.send(grader, {"event": "ready"}, [], time.monotonic() + SEND_SECONDS)
    try:
        while True:
            request, _ = wire.receive(grader, FOREVER)
            spawn(grader, request["order"])
            wire.send(grader, {"event": "spawned"}, [], time.monotonic() + SEND_SECONDS)
    except wire.Closed:
        pass


def preload() -> None:
    """Imports what can be imported, and keeps it out of the garbage collector's way."""
    os.environ.update(MPLBACKEND="agg")
    agent.leave_out_debugger()
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    outputs.leave_out_redrawing()
    gc.collect()
    gc.freeze()


def spawn(grader: socket.socket, order: dict[str, Any]) -> None:
    """Forks the first process of a submission and waits until it has started its supervisor."""
    grader.settimeout(None)
    _, descriptors, _, _ = socket.recv_fds(grader, 1, 2)
    child = os.fork()
    if child == 0:
        grader.close()
        sock = socket.socket(fileno=descriptors[0])
        supervisor.run_guarded(
            lambda: _start(order, sock, descriptors[1]),
            lambda reason: supervisor._tell(sock, event="failed", reason=reason),
        )
    for descriptor in descriptors:
        os.close(descriptor)
    os.waitpid(child, 0)
    supervisor.reap()


def _start(order: dict[str, Any], sock: socket.socket, agent_descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in order.items()}
    supervisor.start(supervisor.Order(**fields), sock, agent_descriptor, serve)
    os._exit(0)


def serve(order: supervisor.Order, control: int, bound: Callable[[], None]) -> None:
    """Runs the kernel, or the probe, in the process that the supervisor has confined."""
    if order.purpose == "probe":
        bound()
        probe.answer(control, order.arguments[0])
    else:
        # Found out anew: what the zygote may write to, a submission may not.
        tempfile.tempdir = None
        agent.start_kernel(control, list(order.arguments), bound)


if __name__ == "__main__":
    main(int(sys.argv[2]))
