"""A student's own modules: importing them, replacing them, and naming their lines in errors."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import os
import sys
import traceback
import types
from typing import Any

# The folder that the student's files lie in; set when the kernel starts.
home = ""


def start_in(folder: str) -> None:
    """Makes `folder` the one in which modules are found, wherever the code goes from there."""
    global home  # noqa: PLW0603 - one folder a process
    home = folder
    sys.path[:0] = ["", folder]


def load(name: str) -> Any:
    """Imports a module; one that lies in a package whose own `__init__` fails is still found."""
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit):
        if not _bare_packages(name):
            raise
        return importlib.import_module(name)


def _bare_packages(name: str) -> bool:
    """Puts empty packages in the place of those around `name` that cannot be imported."""
    made = False
    package, path = "", None
    for part in name.split(".")[:-1]:
        package = f"{package}.{part}" if package else part
        if package not in sys.modules:
            spec = importlib.machinery.PathFinder.find_spec(package, path)
            if spec is None or spec.submodule_search_locations is None:
                return made
            bare = types.ModuleType(package)
            bare.__path__ = list(spec.submodule_search_locations)
            sys.modules[package] = bare
            made = True
        path = getattr(sys.modules[package], "__path__", None)
    return made


def replace(name: str, source: str, names: list[str], whole: bool) -> None:
    """Puts an author's definitions in the place of a student's.

    `names` of the module are replaced. With `whole`, the module itself is,
    where it cannot be imported or `names` is empty.
    """
    try:
        theirs = load(name)
    except (Exception, SystemExit):
        if not whole:
            raise
        theirs = None
    ours = types.ModuleType(name)
    ours.__package__ = name.rpartition(".")[0]
    if theirs is None or (whole and not names):
        _install(name, ours)
    exec(compile(source, f"<{name}>", "exec"), ours.__dict__)
    for dotted in names if theirs is not None else ():
        *owners, leaf = dotted.split(".")
        target, origin = theirs, ours
        for owner in owners:
            target, origin = getattr(target, owner), getattr(origin, owner)
        former = vars(target).get(leaf)
        # Not `getattr`, which would unwrap a static method.
        setattr(target, leaf, vars(origin)[leaf])
        if not owners:
            _rebind(former, vars(origin)[leaf])


def _rebind(former: Any, latter: Any) -> None:
    """Replaces what other modules of the student's have imported by name."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name == "__main__" or _place(file):
            held = [key for key, value in vars(module).items() if value is former]
            for key in held if former is not None else ():
                setattr(module, key, latter)


def _install(name: str, module: types.ModuleType) -> None:
    sys.modules[name] = module
    package, _, leaf = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], leaf, module)


def line_of(error: BaseException) -> str:
    """The last line of the student's own code in the traceback, as text."""
    line = ""
    with contextlib.suppress(Exception):
        if isinstance(error, SyntaxError) and error.filename and _place(error.filename):
            text = (error.text or "").strip()
            return f"{_place(error.filename)}line {error.lineno}: {text}"
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.line and _is_students(frame.filename):
                line = f"{_place(frame.filename)}line {frame.lineno}: {frame.line.strip()}"
    return line


def message_of(error: BaseException) -> str:
    """What an error says; of a syntax error, without the place, which `line_of` names."""
    if isinstance(error, SyntaxError) and error.filename and _place(error.filename):
        return str(error.msg)
    return str(error)


def _is_students(filename: str) -> bool:
    return "ipykernel_" in filename or bool(_place(filename))


def _place(filename: str) -> str:
    """The file's path from the student's folder, or nothing for a cell's code."""
    if not home or "ipykernel_" in filename or not os.path.isabs(filename):
        return ""
    path = os.path.relpath(filename, home)
    return "" if path.startswith(os.pardir) else f"{path}, "
