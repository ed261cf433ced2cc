"""nn-grader: autograding for neural-network coursework."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.assignment import load_assignment
    from grader.pipeline import grade

__all__ = ["grade", "load_assignment"]

_HOMES = {"grade": "grader.pipeline", "load_assignment": "grader.assignment"}


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext grader`: adds `%check` to a notebook."""
    from grader.notebook.magic import load  # most who import this package have no notebook

    load(shell)


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used.

    The pytest plugin is loaded in every pytest run of every project, and must
    not bring numpy and nbclient with it.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
