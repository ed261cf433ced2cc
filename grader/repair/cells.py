"""Takes out of cells what cannot or must not run here: installs, magics, figures in windows."""

from __future__ import annotations

import ast
import functools
import posixpath
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.execution.inside.elsewhere import nearest, shown
from grader.repair.kinds import RepairKind
from grader.rewriting import Edit, apply_edits, parse_python

IPYTHON = "get_ipython"
INLINE = re.compile(r"^([ \t]*)%matplotlib[ \t]+inline[ \t]*$", re.MULTILINE)
# What only IPython reads; a precise reading is left to IPython itself.
SPECIAL = re.compile(r"^[ \t]*[%!?]|=[ \t]*[%!]|^[^#\n]*\?[ \t]*$|get_ipython", re.MULTILINE)
# A path that is of one machine alone.
ELSEWHERE = re.compile(r"[/~\\]|[A-Za-z]:[/\\]")
INSTALLING = re.compile(r"^\s*(pip3?|conda|mamba)\s+(install|uninstall|update|list)\b")
# Commands that install, download or only look: without a network they fail, and slowly.
HARMLESS = frozenset(
    [
        *("pip", "pip3", "conda", "mamba", "micromamba", "uv", "apt", "apt-get", "brew", "npm"),
        *("git", "wget", "curl", "gdown", "kaggle", "jupyter", "ls", "pwd", "nvidia-smi"),
        *("nvcc", "lscpu", "free", "df", "nproc", "uname", "date", "which"),
    ]
)
SHELLS = frozenset(["bash", "sh", "shell", "!", "sx", "system"])
PYTHON_BODIES = frozenset(["time", "timeit", "capture", "prun"])
# Known to IPython, but of no use where nobody sits before the notebook.
USELESS = frozenset(
    ["autoreload", "aimport", "clear", "debug", "pdb", "qtconsole", "gui", "tensorboard"]
)
# Known to a kernel beside the classes of IPython's magics.
MORE_MAGICS = frozenset(
    [
        *("bash", "sh", "perl", "ruby", "python", "python3", "file", "hist", "rep", "store"),
        *("ls", "ll", "la", "lf", "lk", "lx", "ldir", "cat", "cp", "mv", "rm", "mkdir", "rmdir"),
        *("connect_info", "less", "more", "man", "autosave", "subshell"),
    ]
)
WINDOWS = frozenset(
    [
        *("notebook", "widget", "ipympl", "nbagg", "qt", "qt4", "qt5", "qt6", "tk", "gtk", "gtk3"),
        *("gtk4", "wx", "osx", "macosx", "qtagg", "qt4agg", "qt5agg", "tkagg", "gtk3agg"),
        *("gtk4agg", "gtkagg", "wxagg", "webagg"),
    ]
)
SHOWN_CHARACTERS = 60
NOTHING = "pass"


@dataclass(frozen=True)
class Surroundings:
    """What a cell's repair depends on beside its own text.

    `files` are the names of all files, `folder` is the notebook's; `extensions`
    says that the notebook loads some, whose magics nobody knows here.
    """

    kinds: frozenset[str]
    files: tuple[str, ...] = ()
    folder: str = "."
    extensions: bool = False
    is_installed: Callable[[str], bool] = lambda name: True


@dataclass(frozen=True)
class Repaired:
    """A cell's code, and what was done to it: pairs of a kind and a sentence."""

    source: str
    done: tuple[tuple[str, str], ...] = ()


@dataclass
class _Changes:
    """What is gathered while a cell is read."""

    edits: list[Edit] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Call:
    """A statement that IPython makes of a magic or a command, or did once (`of_old`)."""

    node: ast.Expr
    method: str
    arguments: tuple[str, ...]
    of_old: bool = False


def python_text(source: str) -> str:
    """A cell's code as Python, magics and commands as calls of IPython."""
    plain = INLINE.sub(r"\1pass", source)
    if "\n" not in source.strip() and INSTALLING.match(source):
        source = f"%{source.strip()}"
    elif not SPECIAL.search(plain):
        return plain
    try:
        return str(_transformer().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError):
        return source


@functools.cache
def _transformer() -> Any:
    # A tenth of a second, which most notebooks need not spend.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def bodies(source: str) -> Iterator[ast.Module]:
    """The syntax trees of a cell: its own, and those of code in the text of a magic."""
    tree = parse_python(python_text(source))
    if tree is None:
        return
    yield tree
    for call in _calls_in(source):
        name = call.arguments[0] if call.arguments else ""
        if (
            call.method == "run_cell_magic"
            and (name in PYTHON_BODIES or not _is_known(name, cell=True))
        ) or (call.method == "run_line_magic" and name in ("time", "timeit", "prun")):
            yield from bodies(call.arguments[-1])


def loads_extensions(sources: Sequence[str], is_installed: Callable[[str], bool]) -> bool:
    """Whether a cell loads an extension that there is here: it may define magics."""
    names = [_loaded_extension(call) for s in sources if "_ext" in s for call in _calls_in(s)]
    return any(name and name != "autoreload" and is_installed(name) for name in names)


def repair_cell(source: str, around: Surroundings) -> Repaired:
    """The cell's code without what cannot run here; unchanged where nothing of it is found."""
    text = python_text(source)
    tree = parse_python(text) if IPYTHON in text else None
    if tree is None:
        return Repaired(source)
    changes = _Changes()
    for call in _calls(tree):
        _repair_call(call, around, changes)
    if not changes.edits:
        return Repaired(source)
    return Repaired(apply_edits(text, changes.edits), tuple(changes.done))


def _calls_in(source: str) -> list[_Call]:
    text = python_text(source)
    tree = parse_python(text) if IPYTHON in text else None
    return list(_calls(tree)) if tree else []


def _calls(tree: ast.Module) -> Iterator[_Call]:
    """The statements `get_ipython().method("...", ...)`; what uses a result is none."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(func=ast.Name(id="get_ipython")), attr=method
                    ),
                    args=arguments,
                    keywords=[],
                )
            ):
                texts = [a.value for a in arguments if isinstance(a, ast.Constant)]
                if (
                    texts
                    and len(texts) == len(arguments)
                    and all(isinstance(t, str) for t in texts)
                ):
                    yield _normal(node, method, tuple(map(str, texts)))
            case _:
                continue


def _normal(node: ast.Expr, method: str, arguments: tuple[str, ...]) -> _Call:
    """Exported scripts of old have one method for all line magics."""
    if method != "magic":
        return _Call(node, method, arguments)
    name, _, rest = arguments[0].strip().lstrip("%").partition(" ")
    return _Call(node, "run_line_magic", (name, rest), of_old=True)


def _loaded_extension(call: _Call) -> str:
    is_loading = call.method == "run_line_magic" and call.arguments[0] in ("load_ext", "reload_ext")
    return call.arguments[-1].strip() if is_loading else ""


def _repair_call(call: _Call, around: Surroundings, changes: _Changes) -> None:
    match call.method, call.arguments:
        case (("system" | "getoutput"), (command,)):
            found = _command(command, f"!{command}")
        case "run_line_magic", (name, text):
            found = _line_magic(name, text, around) or (
                _by_its_method(call) if call.of_old else None
            )
        case "run_cell_magic", (name, text, body):
            found = _cell_magic(name, text, body, around)
        case _:
            found = None
    if found is not None and found[0] in around.kinds:
        kind, replacement, said = found
        changes.edits.append(Edit(call.node, replacement))
        changes.done += said if isinstance(said, list) else [(kind, said)]


_Found = tuple[str, str, "str | list[tuple[str, str]]"]


def _by_its_method(call: _Call) -> _Found:
    """A magic through the method that IPython has."""
    name, text = call.arguments
    code = f"get_ipython().run_line_magic({name!r}, {text!r})"
    written = _shortened(f"%{name} {text}".strip())
    return RepairKind.MAGICS, code, f"`get_ipython().magic` is gone from IPython: `{written}`"


def _command(command: str, written: str) -> _Found | None:
    if not _is_harmless(command):
        return None
    return RepairKind.COMMANDS, NOTHING, f"`{_shortened(written)}` was not run"


def _is_harmless(script: str) -> bool:
    """Whether each of its commands only installs, downloads or looks."""
    lines = re.split(r"\n|&&|\|\||;|\|", re.sub(r"\\\n", " ", script))
    commands = [line.split("#")[0].split() for line in lines]
    words = [_program(command) for command in commands if command]
    return bool(words) and all(word in HARMLESS for word in words)


def _program(words: Sequence[str]) -> str:
    rest = [word for word in words if "=" not in word and word not in ("sudo", "-H", "-y", "yes")]
    if rest[1:3] == ["-m", "pip"] or (rest[:1] == ["{sys.executable}"] and "pip" in rest):
        return "pip"
    return rest[0].rpartition("/")[2] if rest else "ls"


def _line_magic(name: str, text: str, around: Surroundings) -> _Found | None:
    written = f"%{name} {text}".strip()
    if name in ("pip", "conda", "mamba", "micromamba", "uv"):
        return RepairKind.COMMANDS, NOTHING, f"`{_shortened(written)}` was not run"
    if name in ("sx", "system", "ls", "pwd"):
        return _command(text if name in ("sx", "system") else name, written)
    if name in ("matplotlib", "pylab") and text.strip().lower() in WINDOWS:
        inline = f"get_ipython().run_line_magic({name!r}, 'inline')"
        return RepairKind.BACKENDS, inline, f"`{written}`: figures are drawn inline instead"
    if name == "run":
        return _run_file(text, around)
    if _is_useless(name, text, around):
        return RepairKind.MAGICS, NOTHING, f"`{_shortened(written)}` was left out"
    return None


def _is_useless(name: str, text: str, around: Surroundings) -> bool:
    if name in ("load_ext", "reload_ext"):
        return text.strip() == "autoreload" or not around.is_installed(text.strip())
    return name in USELESS or (not around.extensions and not _is_known(name))


def _run_file(text: str, around: Surroundings) -> _Found | None:
    """`%run` of a file that lies elsewhere than it says, or was left on the student's machine."""
    path = next((word for word in _words(text) if not word.startswith("-")), "")
    beside = f"{around.folder}/{path}".removeprefix("./")
    if not path.endswith((".py", ".ipynb")) or beside in around.files:
        return None
    found = nearest(path, around.files, around.folder)
    if not found and ELSEWHERE.match(path):
        return RepairKind.FILES, NOTHING, f"`%run {shown(path)}` was left out: it was not handed in"
    if not found:
        return None
    place = _relative(found[0], around.folder)
    code = f"get_ipython().run_line_magic('run', {text.replace(path, place)!r})"
    return RepairKind.FILES, code, f"`%run {shown(path)}`: {found[0]} was taken"


def _words(text: str) -> list[str]:
    """A magic's arguments; paths with spaces stand in quotes."""
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed
        return text.split()


def _relative(name: str, folder: str) -> str:
    return posixpath.relpath(name, folder or ".")


def _cell_magic(name: str, text: str, body: str, around: Surroundings) -> _Found | None:
    if name in SHELLS:
        found = _command(body, f"%%{name}: {body.strip().splitlines()[0] if body.strip() else ''}")
        if found or name != "shell":
            return found
        code = f"get_ipython().run_cell_magic('bash', {text!r}, {body!r})"
        return RepairKind.MAGICS, code, "`%%shell` was run as `%%bash`"
    inner = repair_cell(body, around)
    if name in PYTHON_BODIES and inner.done:
        code = f"get_ipython().run_cell_magic({name!r}, {text!r}, {inner.source!r})"
        return inner.done[0][0], code, list(inner.done)
    if _is_known(name, cell=True) or around.extensions:
        return None
    if parse_python(python_text(body)) is None:
        return RepairKind.MAGICS, NOTHING, f"the cell was not run: `%%{name}` is not known here"
    said = [
        (RepairKind.MAGICS.value, f"`%%{name}` is not known here: its lines were run without it")
    ]
    return RepairKind.MAGICS, inner.source, [*said, *inner.done]


def _is_known(name: str, *, cell: bool = False) -> bool:
    return name in MORE_MAGICS or name in _known_magics()["cell" if cell else "line"]


@functools.cache
def _known_magics() -> dict[str, Collection[str]]:
    """The magics that IPython brings."""
    from IPython.core import magics
    from IPython.core.magic import Magics

    # The package loads its classes when they are asked for.
    kinds: list[Any] = [getattr(magics, name) for name in dir(magics)]
    tables = [vars(k)["magics"] for k in kinds if isinstance(k, type) and issubclass(k, Magics)]
    return {
        place: frozenset(name for table in tables for name in table.get(place, ()))
        for place in ("line", "cell")
    }


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"
