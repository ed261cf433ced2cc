"""How a student's kernel is launched: the seam at which isolation is put in.

`nbclient` and `jupyter_client` drive the kernel as any other; this class alone
decides which process it is, what it inherits and how it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

ISOLATION = "none"


class SandboxProvisioner(LocalProvisioner):  # type: ignore[misc]
    """A local process with an environment of its own, in a process group of its own.

    `km.start_kernel` passes on `env` (all that the kernel sees of the
    environment), `cwd`, and `pass_fds`.
    """

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Keeps the grader's own environment, tokens included, out of the kernel's."""
        environment = dict(kwargs["env"])
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        prepared["env"] = environment
        # What a kernel writes past its channels must not land in the grader's own output.
        prepared["stdout"] = prepared["stderr"] = subprocess.DEVNULL
        return prepared

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002
        """Kills the kernel alone: its snapshots share its process group and live on."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)

    def end_group(self) -> None:
        """Kills the kernel, its snapshots, their copies and whatever they started."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
