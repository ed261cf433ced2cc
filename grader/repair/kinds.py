"""The kinds of repair, by the words that settings, the command and reports use."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from grader.errors import UsageError


class RepairKind(StrEnum):
    """What can be repaired.

    `names`: what libraries have no more; `modules`: those not installed, or
    elsewhere in the hand-in; `colab`: Colab's own module; `commands`: installs and
    downloads; `magics`: those that IPython does not know; `backends`: figures in
    windows; `folders`: a change to one that is not there; `files`: data read from a
    path that is not there; `kernels`: a notebook that asks for another one.
    """

    NAMES = "names"
    MODULES = "modules"
    COLAB = "colab"
    COMMANDS = "commands"
    MAGICS = "magics"
    BACKENDS = "backends"
    FOLDERS = "folders"
    FILES = "files"
    KERNELS = "kernels"


ALL_KINDS = tuple(kind.value for kind in RepairKind)
NO_KINDS = "none"


def read_kinds(text: str) -> tuple[str, ...]:
    """The kinds in a list separated by commas, or none of them.

    Raises:
        UsageError: one of them does not exist.
    """
    if text.strip() == NO_KINDS:
        return ()
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if reason := unknown_kinds(words):
        raise UsageError(f"--repairs: {reason}")
    return words


def unknown_kinds(words: Sequence[str]) -> str:
    """What is wrong with these words for kinds; "" if nothing is."""
    unknown = [word for word in words if word not in ALL_KINDS]
    if not unknown:
        return ""
    return f"no repair is called {', '.join(unknown)}; there are {', '.join(ALL_KINDS)}"
