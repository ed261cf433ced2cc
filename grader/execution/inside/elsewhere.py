"""Files and folders that lie elsewhere than the code says: found by their names.

The grader writes what is to be repaired into `repairs.json` in the student's
home. Nothing is opened that the student's own code could not open.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

ORDER = "repairs.json"
# What was repaired while a cell ran is shown among its outputs, in a form of its own.
MEDIA_TYPE = "application/vnd.nn-grader.repair+json"
MAX_SAID = 50
SHOWN_PARTS = 2


def start(shell: Any, others: Callable[[dict[str, Any]], None]) -> None:
    """Obeys the order, if there is one; `others` is given it too."""
    path = os.path.join(os.environ.get("HOME", ""), ORDER)
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        order = json.load(file)
    files = Files(order["root"], order["files"], os.getcwd(), Speaker(shell))
    if order["read"]:
        open_by_name(files)
    if order["folders"]:
        change_folder_by_name(files)
    others(order)


class Speaker:
    """Says what was repaired, each thing once."""

    def __init__(self, shell: Any) -> None:
        # A copy of the process silences this object: it must be asked anew each time.
        self._display = shell.display_pub
        self._said: set[tuple[str, str]] = set()

    def say(self, kind: str, asked: str, taken: str = "", of: int = 0) -> None:
        """Shows among the outputs of the running cell what was taken in place of what.

        `of` so many of that name; `taken` is empty where there was nothing to take.
        """
        asked = shown(asked)
        if (kind, asked) not in self._said and len(self._said) < MAX_SAID:
            self._said.add((kind, asked))
            content = {"kind": kind, "asked": asked, "taken": taken, "of": of}
            with contextlib.suppress(Exception):
                self._display.publish(data={MEDIA_TYPE: content})


# --- files and folders ---------------------------------------------------------


def nearest(path: str, names: Sequence[str], home: str) -> list[str]:
    """Those of `names` that end with the last part of `path`, the likeliest first.

    The more of their folders agree with those in `path`, the likelier they are;
    of the others, those near the folder `home`. `path` may be one of Windows.
    """
    wanted = parts_of(path)
    if not wanted:
        return []
    same = [name for name in names if parts_of(name)[-1] == wanted[-1]]
    # Neither Windows nor macOS minds.
    same = same or [n for n in names if parts_of(n)[-1].lower() == wanted[-1].lower()]

    def distance(name: str) -> tuple[int, int, str]:
        steps = os.path.relpath(os.path.dirname(name) or ".", home or ".").split("/")
        return (-_shared_end(parts_of(name), wanted), len([s for s in steps if s != "."]), name)

    return sorted(same, key=distance)


def parts_of(path: str) -> list[str]:
    """A path's parts, whatever system it was written on, without drives, `.` and `..`."""
    parts = path.replace("\\", "/").split("/")
    return [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]


def _shared_end(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a.lower() != b.lower():
            break
        count += 1
    return count


def shown(path: str) -> str:
    """The end of a path: what lies before it may name a person."""
    parts = parts_of(path)
    is_whole = len(parts) <= SHOWN_PARTS and path.replace("\\", "/").split("/") == parts
    return "/".join(parts) if is_whole else f"…/{'/'.join(parts[-SHOWN_PARTS:])}"


class Files:
    """The files that were laid into the room, by their names below `root`."""

    def __init__(self, root: str, names: list[str], home: str, speaker: Speaker) -> None:
        self.root, self.names, self.speaker = root, names, speaker
        self.home = os.path.relpath(home, root)
        self.folders = folders_of(names)

    def path(self, name: str) -> str:
        """Where a file lies."""
        return os.path.normpath(os.path.join(self.root, name))

    def find(self, path: str) -> str:
        """A file to read in place of one that is not there; "" where there is none."""
        return self._take("files", path, self.names)

    def find_folder(self, path: str) -> str:
        """A folder in place of one that is not there; "" where there is none."""
        return self._take("folders", path, self.folders)

    def _take(self, kind: str, path: str, names: list[str]) -> str:
        found = [n for n in nearest(path, names, self.home) if os.path.exists(self.path(n))]
        if not found:
            return ""
        self.speaker.say(kind, path, found[0], len(found))
        return self.path(found[0])


def folders_of(names: Sequence[str]) -> list[str]:
    """The folders that files lie in, and those around them."""
    parts = [name.split("/")[:-1] for name in names]
    return sorted({"/".join(p[: k + 1]) for p in parts for k in range(len(p))})


def open_by_name(files: Files) -> None:
    """Lets files be read that lie elsewhere than the code says."""
    wrapped = _reading(io.open, files)
    from IPython.core import interactiveshell

    # The `open` of a notebook is IPython's, which calls this one.
    interactiveshell.io_open = wrapped
    builtins.open = io.open = wrapped
    with contextlib.suppress(ImportError, AttributeError):
        from numpy.lib import _datasource

        _datasource.open = _reading(_datasource.open, files)
    import urllib.request

    real = urllib.request.urlopen

    @functools.wraps(real)
    def urlopen(url: Any, *arguments: Any, **keywords: Any) -> Any:
        address = getattr(url, "full_url", url)
        path = files.find(str(address).partition("?")[0]) if isinstance(address, str) else ""
        if not path:
            return real(url, *arguments, **keywords)
        from email.message import Message
        from urllib.response import addinfourl

        return addinfourl(open(path, "rb"), Message(), address, 200)

    urllib.request.urlopen = urlopen


def _reading(real: Callable[..., Any], files: Files) -> Callable[..., Any]:
    @functools.wraps(real)
    def opened(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        return real(_readable(file, mode, files), mode, *arguments, **keywords)

    return opened


def _readable(file: Any, mode: Any, files: Files) -> Any:
    """What is to be opened: `file` itself, unless it is a path to be read that is not there."""
    try:
        path = os.fspath(file) if isinstance(file, str | os.PathLike) else b""
        if isinstance(path, bytes) or set(mode) & set("wax+") or os.path.exists(path):
            return file
        return files.find(path) or file
    except Exception:
        return file


def change_folder_by_name(files: Files) -> None:
    """Lets code go on where it wants to go to, or look into, a folder that is not there."""
    chdir, listdir = os.chdir, os.listdir

    @functools.wraps(chdir)
    def change(path: Any) -> None:
        if isinstance(path, str) and not os.path.exists(path):
            found = files.find_folder(path)
            if not found:
                files.speaker.say("folders", path)
                return
            path = found
        chdir(path)

    @functools.wraps(listdir)
    def names_in(path: Any = None) -> Any:
        if isinstance(path, str) and not os.path.exists(path):
            path = files.find_folder(path) or path
        return listdir(path)

    os.chdir, os.listdir = change, names_in
