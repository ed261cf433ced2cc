"""Hostile notebooks at every level of isolation: how they are run, and what they must not reach.

A module's `ATTACKS` are the bodies of functions that run in one notebook, each with
the outcome it must have: a regular expression for the whole of what it returns, or
of the error's name. `ALONE` are those that spoil their kernel, each with a notebook
of its own; the expression is for what they print or how their cell ends.

Whether an attack held is judged twice: by its outcome, and by what is found here
afterwards (`World.harm`), since a hostile notebook can print what it likes.
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import grader
import reference
from grader.execution.isolation import Level, candidates, student_ids
from grader.execution.limits import Limits
from grader.execution.probing import failings
from grader.execution.room import Room
from grader.execution.runner import Execution, run_notebook
from grader.execution.zygote import current_zygote
from grader.records import CellRun

TINY = Path(__file__).parents[1] / "tiny"
SECRET = "the canary sings"
# In the environment of the run by another user: where its outcomes go.
OUTCOMES = "NN_ATTACK_OUTCOMES"
MARK = "86399.25"
LIMITS = Limits(
    cell=20,
    notebook=100,
    check=5,
    interrupt=1,
    restarts=0,
    memory=700 << 20,
    temporary=32 << 20,
)
PRELUDE = f"""
import ctypes, errno, gc, json, os, resource, select, signal, socket, struct, sys, time
given = json.loads({{given!r}})
MARK = {MARK!r}
libc = ctypes.CDLL(None, use_errno=True)

def syscall(number, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return result

def libc_call(name, *arguments):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def say(outcome):
    print(json.dumps({{{{"outcome": str(outcome)[:300]}}}}), flush=True)

def tried(attack):
    try:
        return attack()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except BaseException as error:
        return type(error).__name__
"""


# --- pytest's hooks -----------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--attack-table`."""
    parser.addoption("--attack-table", action="store_true", help="print attack, level, outcome")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each attack of the test's module at each level worth trying here."""
    if "level" in metafunc.fixturenames:
        metafunc.parametrize("level", candidates() or (Level.NONE,), indirect=True, scope="module")
    for name, table in (("attack", "ATTACKS"), ("alone", "ALONE")):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, getattr(metafunc.module, table))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps a module's tests together: they share notebooks, and count processes."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            user = f"-{item.callspec.params['user']}" if "as_user" in item.path.stem else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}{user}"))


def pytest_report_header() -> list[str]:
    """Names the levels that are tried."""
    lines = []
    for level in candidates():
        lacks = ", ".join(failings(level))
        lines.append(
            f"attacks: {column_of(level)}: {f'NOT REACHED: {lacks}' if lacks else 'reached'}"
        )
    return lines


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints the table of attacks, levels and outcomes, where it is asked for."""
    path = os.environ.get(OUTCOMES)
    if not path and not config.getoption("attack_table", default=False):
        return
    rows = [row for kind in ("passed", "failed") for row in _rows(terminalreporter.stats, kind)]
    if path:
        Path(path).write_text(json.dumps(rows), encoding="utf-8")
    else:
        for line in _table(rows):
            terminalreporter.write_line(line)


def _rows(stats: Mapping[str, Any], kind: str) -> list[list[str]]:
    properties = [p for r in stats.get(kind, []) for p in getattr(r, "user_properties", [])]
    return [value for name, value in properties if name == "attack"]


def _table(rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table, in the order of the attacks."""
    columns = list(dict.fromkeys(column for _, _, column, _ in rows))
    found: dict[tuple[str, str], dict[str, str]] = {}
    for module, attack, column, outcome in sorted(rows, key=lambda row: row[0]):
        found.setdefault((module, attack), {})[column] = outcome
    yield f"| attack | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for (_, attack), outcomes in found.items():
        cells = [outcomes.get(column, "").replace("|", "\\|") for column in columns]
        yield f"| {attack} | {' | '.join(cells)} |"


def column_of(level: Level) -> str:
    """The name of a level, with who runs the grader where that is open."""
    by_root = level is Level.LANDLOCK and os.getuid() == 0
    return f"{level.value} (root)" if by_root else level.value


# --- the world around a submission --------------------------------------------


@dataclass
class World:
    """What lies within this user's reach and must not be within a submission's."""

    given: dict[str, Any]
    folder: Path
    streams: list[socket.socket]
    datagrams: list[socket.socket]
    before: dict[str, Any] = field(default_factory=dict)

    def harm(self) -> dict[str, Any]:
        """What differs from the start; empty where nothing was touched."""
        now = self._state()
        harm = {key: now[key] for key, value in self.before.items() if now[key] != value}
        visits = self._visits()
        return {**harm, "reached": visits} if visits else harm

    def remember(self) -> None:
        """Takes the state as it is now for what it must stay."""
        self.before = self._state()

    def _state(self) -> dict[str, Any]:
        files = sorted(path for path in self.folder.rglob("*"))
        limits = [resource.getrlimit(n) for n in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE)]
        return {
            "files": [(str(p), p.lstat().st_mode, p.lstat().st_mtime_ns) for p in files],
            "limits": limits,
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "processors": os.sched_getaffinity(0),
            "left over": left_over(),
        }

    def _visits(self) -> list[str]:
        """The sockets at which something arrived."""
        found = []
        for sock in self.streams:
            try:
                sock.accept()[0].close()
                found.append(str(sock.getsockname()))
            except BlockingIOError:
                continue
        for sock in self.datagrams:
            try:
                found.append(repr(sock.recv(100)))
            except BlockingIOError:
                continue
        return found


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Files, sockets and secrets of this user's, all of them the test's own."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NN_ATTACK_TOKEN", SECRET)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nn-world-")))
        folder.chmod(0o755)
        other = stack.enter_context(Room({"other.txt": SECRET.encode()}, "other.ipynb"))
        streams, datagrams = _sockets(stack, folder)
        given = {
            **_files(folder),
            "other": str(other.work / "other.txt"),
            "home": str(Path.home()),
            "python": [part for p in (sys.prefix, sys.base_prefix) for part in Path(p).parts],
            "numpy": str(np.__file__),
            "hidden": str(TINY / "checks" / "test_tiny.py"),
            "solution": str(TINY / "solution.ipynb"),
            "reference": str(reference.__file__),
            "grader": str(grader.__file__),
            "pid": os.getpid(),
            "parent": os.getppid(),
            "zygote": current_zygote()._process.pid,
            "tcp": streams[0].getsockname()[1],
            "udp": datagrams[0].getsockname()[1],
            "abstract": streams[1].getsockname()[1:].decode(),
            "pathname": streams[2].getsockname(),
            "abstract_datagram": datagrams[1].getsockname()[1:].decode(),
            "pathname_datagram": datagrams[2].getsockname(),
        }
        world = World(given, folder, streams, datagrams)
        world.remember()
        yield world


def _files(folder: Path) -> dict[str, str]:
    secret, open_folder, own = folder / "secret", folder / "open", folder / "own"
    secret.write_text(SECRET, encoding="utf-8")
    secret.chmod(0o644)
    own.write_text("own", encoding="utf-8")
    own.chmod(0o666)
    open_folder.mkdir()
    open_folder.chmod(0o777)
    return {"secret": str(secret), "folder": str(open_folder), "own": str(own)}


def _sockets(stack: ExitStack, folder: Path) -> tuple[list[socket.socket], list[socket.socket]]:
    """Listening sockets, then datagram sockets: on the loopback, abstract, in the file system."""
    made: dict[int, list[socket.socket]] = {}
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        name = f"\0nn-attack-{os.getpid()}-{kind}"
        for address in (("127.0.0.1", 0), name, str(folder / f"s{kind}")):
            family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
            sock = stack.enter_context(socket.socket(family, kind))
            sock.bind(address)
            sock.setblocking(False)
            if kind == socket.SOCK_STREAM:
                sock.listen()
            if isinstance(address, str) and not address.startswith("\0"):
                Path(address).chmod(0o777)
            made.setdefault(kind, []).append(sock)
    return made[socket.SOCK_STREAM], made[socket.SOCK_DGRAM]


def left_over(seconds: float = 5.0) -> list[str]:
    """Processes of submissions, once those that are ending have ended."""
    deadline = time.monotonic() + seconds
    while (found := _submissions_processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _submissions_processes() -> list[str]:
    """The forks of this process's zygote, and what they executed."""
    zygote, slot = current_zygote(), student_ids()[0]
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            of_ours = MARK in words or str(zygote._folder.path) in words
            of_ours = of_ours or (os.getuid() == 0 and process.uids().real == slot)
            gone = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            continue
        if of_ours and not gone and process.pid != zygote._process.pid:
            found.append(f"{process.pid} {words}")
    return found


# --- running attacks ----------------------------------------------------------


@pytest.fixture(scope="module")
def level(request: pytest.FixtureRequest) -> Level:
    """A level that this machine reaches; one that it does not is named in the output."""
    wanted: Level = request.param
    if wanted is Level.NONE:
        pytest.skip("no level of isolation on this system")
    reasons = failings(wanted)
    if reasons:
        pytest.skip(f"level not reached: {column_of(wanted)} ({', '.join(reasons)})")
    return wanted


@dataclass(frozen=True)
class Ran:
    """A hostile notebook after its processes were ended."""

    execution: Execution

    def run(self, index: int) -> CellRun:
        """How a cell ended."""
        return next(run for run in self.execution.cells if run.cell == index)

    def outcome(self, index: int) -> str:
        """What a cell said last, or how it ended."""
        lines = [s for s in self.execution.output_of([index]).splitlines() if s.startswith("{")]
        if not lines:
            return self.run(index).error or "nothing"
        return str(json.loads(lines[-1])["outcome"])


RunHostile = Callable[..., Ran]


@pytest.fixture(scope="module")
def run_hostile(level: Level, world: World) -> RunHostile:
    """Runs cells behind the prelude; cell 0 is the prelude, and `limits` may be tighter."""

    def run(*sources: str, limits: Limits = LIMITS, level: Level = level) -> Ran:
        given = json.dumps(world.given | {"level": level.value})
        cells = [new_code_cell(source) for source in (PRELUDE.format(given=given), *sources)]
        with Room({"data.txt": b"data"}, "hand-in.ipynb") as room:
            execution = run_notebook(
                new_notebook(cells=cells), [len(cells)], room, limits, level=level
            )
            execution.close()
        assert not room.path.exists()
        return Ran(execution)

    return run


def as_cell(body: str) -> str:
    """A cell that runs an attack's body and says what came of it."""
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"def attack():\n{indented}\nsay(tried(attack))"


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, run_hostile: RunHostile) -> dict[str, str]:
    """What came of each of the module's `ATTACKS`, all run in one notebook."""
    attacks: dict[str, tuple[str, str]] = request.module.ATTACKS
    ran = run_hostile(*(as_cell(body) for body, _ in attacks.values()))
    return {name: ran.outcome(index) for index, name in enumerate(attacks, 1)}


OutcomeOf = Callable[..., str]


@pytest.fixture
def outcome_of(run_hostile: RunHostile) -> OutcomeOf:
    """Runs one attack's body in a notebook of its own and says what came of it."""

    def run(body: str, limits: Limits = LIMITS) -> str:
        return run_hostile(as_cell(body), limits=limits).outcome(1)

    return run


@pytest.fixture(scope="session")
def wide() -> Limits:
    """Limits that an attack which is no bomb does not reach."""
    return LIMITS


@pytest.fixture
def few() -> Limits:
    """Limits that are soon reached."""
    return replace(
        LIMITS,
        cell=1.0,
        interrupt=0.5,
        address_space=2 << 30,
        memory=600 << 20,
        processes=30,
        temporary_files=3000,
    )


Judge = Callable[[str, str, str], None]


@pytest.fixture
def judge(request: pytest.FixtureRequest, level: Level) -> Judge:
    """Holds an outcome against its expression, and files it for the table."""

    def judge(attack: str, outcome: str, expected: str) -> None:
        row = [request.module.__name__.rpartition(".")[2], attack, column_of(level), outcome]
        request.node.user_properties.append(("attack", row))
        assert SECRET not in outcome
        assert re.fullmatch(expected, outcome, re.DOTALL), outcome

    return judge


@pytest.fixture(autouse=True, scope="module")
def unharmed(world: World) -> Iterator[None]:
    """After each module, the world around the submissions is as it was."""
    yield
    assert world.harm() == {}
