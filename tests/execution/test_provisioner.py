"""How a kernel's process is launched and ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from grader.execution.provisioner import SandboxProvisioner

OWN_GROUP = """
import os
leads = os.getpgrp() == os.getpid()
group, session = os.getpgrp(), os.getsid(0)
"""


def test_is_registered() -> None:
    """jupyter_client finds the provisioner under the name that kernel specs give."""
    group = entry_points(group="jupyter_client.kernel_provisioners")
    assert group["nn-grader"].load() is SandboxProvisioner


def test_kernels_have_a_group_and_a_session_of_their_own(run_cells: Callable[..., Any]) -> None:
    """A kernel leads its own process group and session, so that both can be ended at once."""
    ran = run_cells(OWN_GROUP)
    assert ran.value(1, "leads") is True
    assert ran.value(1, "group") != os.getpgrp()
    assert ran.value(1, "session") != os.getsid(0)


def test_the_end_of_a_kernel_spares_its_snapshots(run_cells: Callable[..., Any]) -> None:
    """A killed kernel's snapshots answer on, until the whole group is ended."""
    ran = run_cells("a = 1", boundaries=[1])
    process = ran.execution.kernels[0]._client.km.provisioner.process
    process.kill()
    process.wait()
    assert ran.value(1, "a") == 1
    ran.execution.close()
    assert ran.processes_left() == []


def test_ending_twice_does_no_harm(run_cells: Callable[..., Any]) -> None:
    """A group that has gone can be ended again, and one that never was, too."""
    ran = run_cells("a = 1", boundaries=[])
    for _ in range(2):
        ran.execution.close()
    SandboxProvisioner().end_group()
