"""Waits for a file to be saved.

By looking, twice a second, at a handful of files: what operating systems report
of changes does not arrive from network drives, containers' mounts and WSL, which
students work on, and each system reports it in its own way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

LOOK_SECONDS = 0.5
# A save may be several writes: what is read must have been left alone for so long.
SETTLED_SECONDS = 0.3

Signature = tuple[tuple[str, int, int], ...]


def signature(paths: Iterable[Path]) -> Signature:
    """When the files were last written, and how large they are; a missing one has no size."""
    return tuple(_signature(path) for path in paths)


def _signature(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), found.st_mtime_ns, found.st_size


def next_change(
    list_paths: Callable[[], Iterable[Path]],
    before: Signature,
    sleep: Callable[[float], None] = time.sleep,
) -> Signature:
    """Waits until the files differ from `before` and have come to rest; what they are then.

    A file that is replaced is missing for a moment: that alone is no change.
    """
    while True:
        now = signature(list_paths())
        if now == before or any(size < 0 for _, _, size in now):
            sleep(LOOK_SECONDS)
            continue
        sleep(SETTLED_SECONDS)
        if signature(list_paths()) == now:
            return now
