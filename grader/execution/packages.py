"""Which packages a student's kernel can import: what is installed here, less what is ours."""

from __future__ import annotations

import atexit
import functools
import os
import sys
from pathlib import Path

from grader.execution.folders import TemporaryFolder

OURS = frozenset(["grader", "reference"])
PREFIXES = ("nn_grader", "_nn_grader", "__editable__", "_editable_impl_nn_grader")
SITE_FOLDERS = frozenset(["site-packages", "dist-packages"])


@functools.cache
def student_packages() -> tuple[str, ...]:
    """Folders for a kernel's `sys.path`, beside the standard library.

    A site folder that holds our packages is replaced by a folder of links to
    everything else in it, so that neither an import nor a walk along `sys.path`
    meets `grader`, `reference`, the assignments or their solutions.
    """
    return tuple(_without_ours(folder) for folder in _site_folders())


@functools.cache
def our_entries() -> tuple[Path, ...]:
    """Everything of ours in the site folders: what a sandbox has to hide."""
    entries = [entry for folder in _site_folders() for entry in folder.iterdir()]
    return tuple(entry.resolve() for entry in entries if _is_ours(entry))


@functools.cache
def hidden_entries() -> tuple[Path, ...]:
    """The same, and what lies beside an editable install: assignments with their solutions."""
    checkout = Path(__file__).resolve().parents[2]
    if checkout.name in SITE_FOLDERS:
        return our_entries()
    pythons = [Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)]
    beside = [
        entry
        for entry in checkout.iterdir()
        if not entry.is_symlink() and not any(python.is_relative_to(entry) for python in pythons)
    ]
    return (*our_entries(), *beside)


def _site_folders() -> list[Path]:
    paths = [Path(entry) for entry in sys.path if entry]
    return [path for path in dict.fromkeys(paths) if path.name in SITE_FOLDERS and path.is_dir()]


def _without_ours(folder: Path) -> str:
    entries = list(folder.iterdir())
    if not any(_is_ours(entry) for entry in entries):
        return str(folder)
    made = TemporaryFolder("packages-")
    atexit.register(made.close)
    view = made.path / folder.name
    view.mkdir()
    # A submission may run by another user's rights.
    made.path.chmod(0o755)
    try:
        for entry in entries:
            if not _is_ours(entry) and entry.suffix != ".pth":
                (view / entry.name).symlink_to(entry)
    except OSError:
        # Windows lets not everybody make links; there is no sandbox there to keep tight, either.
        if can_link():
            raise
        return str(folder)
    return str(view)


def can_link() -> bool:
    """Whether every user of this system can make symbolic links."""
    return os.name != "nt"


def _is_ours(entry: Path) -> bool:
    name = entry.name.lower()
    return name in OURS or name.startswith(PREFIXES)
