"""Snapshots where processes cannot be forked: all is taken away that Windows lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from grader import grade
from grader.execution.inside import keeper, wire
from grader.execution.inside.keeper import State
from grader.submission import Submission

# Python's own modules and other packages know how to do without; ours must, too.
WITHOUT_FORK = """
import asyncio, json, multiprocessing, os, socket, subprocess, sys, tempfile
import cattrs, ipykernel, jupyter_client, nbclient, nbformat, platformdirs, psutil, pytest
import rich.console, scipy, zmq.asyncio

for module in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[module] = None
for name in ("fork", "memfd_create", "getuid", "getgid", "setsid", "killpg", "getpgid", "chown",
             "sched_getaffinity", "waitid", "WNOHANG"):
    if hasattr(os, name):
        delattr(os, name)
del socket.send_fds, socket.recv_fds

import grader
report = grader.grade(sys.argv[1], sys.argv[2], isolation="none")
checks = {c.name: [c.status.value, c.cause] for q in report.questions for c in q.checks}
cells = [[run.cell, run.status.value, run.ending.value] for run in report.execution]
print(json.dumps({"checks": checks, "cells": cells, "score": report.score}))
"""
# 1a remembers its calls, and is redefined before 2a; a cell ends its kernel between them.
REMEMBERING = """
calls = []
class Counter: pass
counter = Counter()
counter.seen = 0
def square(x):
    calls.append(1)
    counter.seen += 1
    assert len(calls) == counter.seen < 9, "the calls of other checks are still counted"
    return x * x
def square_grad(x):
    return 2 * x
"""
ENDS_ITS_KERNEL = "import os\nos._exit(1)"
ENDLESS = """
def square(x):
    return x ** 2
def sum_of_squares(x):
    while len(x) == 3 and x[0] < 0:
        pass
    return np.sum(square(x))
"""


def graded(report: Any) -> dict[str, Any]:
    """The same of a report as the script prints."""
    return {
        "checks": {c.name: [c.status.value, c.cause] for q in report.questions for c in q.checks},
        "cells": [[r.cell, r.status.value, r.ending.value] for r in report.execution],
        "score": report.score,
    }


def test_same_verdict_without_fork(
    tiny_folder: Path, answered: Callable[..., Submission], tmp_path: Path
) -> None:
    """Snapshots, a kernel that ends, a function that does not stop: all as with forks."""
    path = tiny_folder / "assignment.toml"
    path.write_text(path.read_text().replace("check = 5", "check = 1"))
    changes = {"q1a-answer": REMEMBERING, "q1a-test": ENDS_ITS_KERNEL, "q2a-answer": ENDLESS}
    submission = answered(**changes)
    notebook = tmp_path / "hw.ipynb"
    notebook.write_text(nbformat.writes(submission.notebook))
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_FORK, str(tiny_folder), str(notebook)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found == graded(grade(tiny_folder, notebook))
    assert found["checks"]["test_square"] == ["passed", ""]
    assert found["checks"]["test_square_grad"] == ["passed", ""]
    assert found["checks"]["test_sum_of_squares"] == ["timeout", "student"]
    assert found["checks"]["test_total"] == ["passed", ""]
    assert [5, "error", "died"] in found["cells"]


@pytest.fixture
def namespace() -> dict[str, Any]:
    """Variables of many kinds."""
    data = np.arange(1 << 18, dtype=np.float64)
    return {
        "np": np,
        "data": data,
        "same": data,
        "nested": {"rows": [1, 2]},
        "generator": (n for n in range(3)),
        "In": [""],
    }


def test_copies_are_apart(namespace: dict[str, Any]) -> None:
    """A copy has values of its own, and what was one object is one object in it."""
    kept = State.of(namespace).copied()
    namespace["data"][0] = 7.0
    namespace["nested"]["rows"].append(3)
    assert kept.names["data"][0] == 0.0
    assert kept.names["same"] is kept.names["data"]
    assert kept.names["nested"] == {"rows": [1, 2]}
    # Neither can be copied, and IPython's own must stay the very object.
    for name in ("np", "generator", "In"):
        assert kept.names[name] is namespace[name]


def test_large_arrays_are_kept_once(namespace: dict[str, Any]) -> None:
    """What has not changed since it was kept takes no more memory; what has changed does."""
    arrays: dict[int, Any] = {}
    first, again = (State.of(namespace).copied(arrays).names for _ in range(2))
    assert first["data"] is again["data"]
    namespace["data"][0] = 7.0
    changed = State.of(namespace).copied(arrays).names["data"]
    assert changed[0] == 7.0
    assert first["data"][0] == 0.0


def test_figures_are_shared() -> None:
    """The copy of a figure would be another figure of pyplot's."""
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots()
    try:
        before = plt.get_fignums()
        kept = State.of({"figure": figure, "axes": [axes]}).copied()
        assert kept.names["figure"] is figure
        assert kept.names["axes"][0] is axes
        assert plt.get_fignums() == before
        assert not hasattr(type(figure), "__deepcopy__")
    finally:
        plt.close(figure)


def test_state_comes_back(namespace: dict[str, Any]) -> None:
    """What is put back is the same objects, and the same random numbers come."""
    live = dict(namespace)
    before = State.of(live)
    before.copied().put_into(live)
    live["nested"]["rows"].append(9)
    live["new"] = 1
    np.random.seed(5)  # noqa: NPY002 - notebooks draw from it
    before.put_into(live)
    assert live.keys() == namespace.keys()
    assert all(live[name] is namespace[name] for name in live)
    assert np.array_equal(np.random.get_state()[1], before.random[1][1])  # noqa: NPY002


def test_somebody_else_connects() -> None:
    """A program that does not know the token is not taken for the kernel."""
    from grader.execution.forkless import Keeper

    ended: list[bool] = []
    ours = Keeper(lambda: None, lambda: ended.append(True))
    port = ours.address.partition(":")[0]
    with keeper.connect(f"{port}:{'0' * 32}"), pytest.raises(OSError, match="another program"):
        ours.accept(5)
    assert ended
    with pytest.raises(wire.Closed):
        _ = ours.socket
