"""The IPython extension: `%load_ext grader`, then `%check 1.2b`."""

from __future__ import annotations

import argparse
import os
import shlex
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.display import display

from grader.notebook.serving import Judgement, judge

HELP = """%check [ID ...] [-v] [--notebook PATH] [--assignment FOLDER]

Checks questions with what this kernel holds now: `%check 1.2b`, `%check 1.2` for
1.2a and 1.2b, `%check` for all. -v names the checks that passed, too."""
LOADED = (
    "%check 1.2b checks a question with what this kernel holds, %check all of them. It is for your "
    "own work: nothing keeps it apart from this machine."
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%check: {message}\n\n{HELP}")


class Extension:
    """`%check` in one shell, and what was run there since it was loaded."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        # The notebook's own folder, as long as no cell has gone elsewhere.
        self._folder = Path.cwd()
        ran = [source for source in shell.user_ns.get("In", []) if source]
        self._executed: list[tuple[str, str]] = [("", source) for source in ran]
        self._parser = _Parser(prog="%check", add_help=False)
        self._parser.add_argument("questions", nargs="*")
        self._parser.add_argument("-v", "--verbose", action="store_true")
        self._parser.add_argument("--notebook", default="")
        self._parser.add_argument("--assignment", default="")

    def note(self, info: Any) -> None:
        """Keeps the code of a cell that is about to run: the file may not be saved yet."""
        if info.store_history and not info.raw_cell.lstrip().startswith(("%check", "%load_ext")):
            self._executed.append((str(getattr(info, "cell_id", "") or ""), info.raw_cell))

    def check(self, line: str) -> None:
        """`%check`."""
        wanted = self._parser.parse_args(shlex.split(line.split("#", maxsplit=1)[0]))
        request = {
            "folder": str(self._folder),
            "notebook": wanted.notebook or self._notebook(),
            "assignment": wanted.assignment,
            "questions": wanted.questions,
            "verbose": wanted.verbose,
            "executed": self._executed,
        }
        show(judge(self._shell, request))

    def complete(self, _: object, event: Any) -> list[str]:
        """The ids of questions that begin with what is written."""
        return [name for name in self._questions() if name.startswith(event.symbol)]

    def _questions(self) -> list[str]:
        for folder in (self._folder, *self._folder.parents):
            path = folder / "assignment.toml"
            if path.is_file():
                try:
                    written = tomllib.loads(path.read_text(encoding="utf-8"))
                    return [str(q["id"]) for q in written["question"] if q["kind"] == "code"]
                except (OSError, ValueError, KeyError, TypeError):
                    return []
        return []

    def _notebook(self) -> str:
        """The path of the notebook, where its front end tells."""
        names = (
            self._shell.user_ns.get("__vsc_ipynb_file__"),  # VS Code
            os.environ.get("JPY_SESSION_NAME"),  # Jupyter
        )
        paths = [self._folder / str(name) for name in names if name]
        found = [str(path) for path in paths if path.is_file() and path.suffix == ".ipynb"]
        return found[0] if found else ""


def show(judgement: Judgement) -> None:
    """Shows the outcome below the cell.

    Raises:
        UsageError: there is none; the sentence says why.
    """
    if judgement.error:
        raise UsageError(judgement.error)
    bundle = {"text/plain": judgement.text, "text/html": judgement.html}
    display(bundle, raw=True)


def load(shell: Any) -> None:
    """Registers `%check`, once a shell."""
    extension = Extension(shell)
    shell.register_magic_function(extension.check, "line", "check")
    shell.events.register("pre_run_cell", extension.note)
    shell.set_hook("complete_command", extension.complete, str_key="%check")
    print(LOADED)  # noqa: T201 - said once, below the cell that loads it
