"""The private folder in which one submission runs, and the environment that it sees."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs

from grader.execution.folders import TemporaryFolder
from grader.execution.inside.elsewhere import ORDER

INSIDE = Path(__file__).parent / "inside"
AGENT_FILES = (
    *("agent.py", "elsewhere.py", "keeper.py", "modules.py", "outputs.py", "standins.py"),
    *("state.py", "wire.py"),
)
FONT_CACHE_SECONDS = 120
# Without these no program of Windows' own, Python included, starts or finds a socket.
WINDOWS_VARIABLES = ("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "PATH")
# One thread each makes runs repeatable and keeps forks of BLAS-using processes alive.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class Room:
    """A folder with the agent, a home and the submission's files; gone when closed.

    `work`, in which the kernel runs, is the folder of `notebook`, and lies with
    the other files below `files`. The room's path is short because Unix sockets
    in it may have 107 characters. `repairs` is an order for `inside/elsewhere.py`.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        notebook: str,
        repairs: Mapping[str, object] | None = None,
    ) -> None:
        self._folder = TemporaryFolder()
        self.path = self._folder.path
        self.home = self.path / "home"
        self.files = self.path / "work"
        self.work = (self.files / notebook).parent
        self.given_away = False
        self._kernels = 0
        self.agent = self.path / "inside" / "agent.py"
        self.keeper = self.agent.with_name("keeper.py")
        self._furnish(files)
        if repairs is not None:
            order = {**repairs, "root": str(self.files), "files": sorted(files)}
            (self.home / ORDER).write_text(json.dumps(order), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes the folder, whatever was made of it."""
        self._folder.close()

    def new_sockets(self) -> Path:
        """A folder for one more kernel's sockets, in which no earlier kernel left anything."""
        self._kernels += 1
        folder = self.path / f"ipc{self._kernels}"
        folder.mkdir(mode=0o700)
        return folder

    def environment(self) -> dict[str, str]:
        """Everything that a kernel in this room sees of the environment."""
        fixed = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "IPYTHONDIR": str(self.home / "ipython"),
            "MPLBACKEND": "agg",
            "MPLCONFIGDIR": str(self.home / "matplotlib"),
        }
        return fixed | dict.fromkeys(THREAD_VARIABLES, "1") | self._of_windows()

    def _of_windows(self) -> dict[str, str]:
        if sys.platform != "win32":
            return {}
        kept = {name: os.environ[name] for name in WINDOWS_VARIABLES if name in os.environ}
        temporary = str(self.home / "tmp")
        return {**kept, "USERPROFILE": str(self.home), "TEMP": temporary, "TMP": temporary}

    def _furnish(self, files: Mapping[str, bytes]) -> None:
        folders = (self.home / "tmp", self.home / "matplotlib", self.work)
        for folder in (*folders, self.agent.parent):
            folder.mkdir(parents=True)
        for source in AGENT_FILES:
            shutil.copyfile(INSIDE / source, self.agent.parent / source)
        for name, content in files.items():
            target = self.files / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for cache in font_caches():
            shutil.copyfile(cache, self.home / "matplotlib" / cache.name)


@functools.cache
def font_caches() -> tuple[Path, ...]:
    """Matplotlib's list of fonts, which each fresh home would else spend a second on."""
    folder = Path(platformdirs.user_cache_dir("nn-grader")) / "matplotlib"
    try:
        if not list(folder.glob("fontlist-*.json")):
            folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-c", "import matplotlib.font_manager"]
            subprocess.run(  # noqa: S603 - a fixed command of ours
                command,
                env={**os.environ, "MPLCONFIGDIR": str(folder)},
                capture_output=True,
                timeout=FONT_CACHE_SECONDS,
                check=False,
            )
        return tuple(folder.glob("fontlist-*.json"))
    except (OSError, subprocess.TimeoutExpired):
        # The cache only saves time.
        return ()
