"""The kinds of repair, by the words that settings, the command and reports use."""

from __future__ import annotations

from enum import StrEnum


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
        ValueError: one of them does not exist.
    """
    if text.strip() == NO_KINDS:
        return ()
    words = [word.strip() for word in text.split(",") if word.strip()]
    require_kinds(words)
    return tuple(words)


def require_kinds(words: list[str] | tuple[str, ...]) -> None:
    """Refuses words that are no kind.

    Raises:
        ValueError: one of them is not.
    """
    unknown = [word for word in words if word not in ALL_KINDS]
    if unknown:
        known = ", ".join(ALL_KINDS)
        raise ValueError(f"no repair is called {', '.join(unknown)}; there are {known}")
