"""The `grader` command: its help, and an exit code for each kind of end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from grader import cli
from grader.errors import AssignmentError, ExecutionFault, UsageError

TINY = Path(__file__).parent / "tiny"
Call = Callable[..., int]


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader ARGUMENTS` in this process and returns the exit code."""
    return call_command


def grader(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The installed command, in a process of its own."""
    command = shutil.which("grader", path=str(Path(sys.executable).parent))
    assert command is not None
    return subprocess.run(
        [command, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_installed_command() -> None:
    """The installed command grades, and a table goes to stdout and nothing to stderr."""
    ran = grader("grade", TINY, TINY / "solution.ipynb")
    assert ran.returncode == 0, ran.stderr
    assert "Score: 4 / 5" in ran.stdout
    assert ran.stderr == ""


def test_installed_command_fails(tmp_path: Path) -> None:
    """The installed command tells of a usage error on stderr, in one line, with code 2."""
    ran = grader("grade", TINY, tmp_path / "no.ipynb")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == f"Error: {tmp_path}/no.ipynb: there is no such file\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(call: Call, capsys: pytest.CaptureFixture[str], option: str) -> None:
    """The help names every command and shows examples line by line."""
    assert call(option) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in cli.COMMANDS)
    assert "\n    grader demo   " in text


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_of_commands(call: Call, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Every command explains itself."""
    assert call(command, "--help") == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_version(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the package's."""
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("grader, version 0.")


@pytest.mark.parametrize("arguments", [[], ["no-such"], ["grade"], ["grade", "a", "b", "--no"]])
def test_usage(call: Call, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """A command line that cannot be understood is code 2, with the usage on stderr."""
    assert call(*arguments) == 2
    assert "Usage: grader" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("give a notebook"), 2, "Error: give a notebook"),
        (AssignmentError("no question 9z"), 2, "Error: no question 9z"),
        (click.UsageError("bad option"), 2, "bad option"),
        (ExecutionFault("no kernel"), 3, "Fault of the grader: no kernel"),
        (ZeroDivisionError("oh"), 3, "please report it:\nTraceback"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
)
def test_exit_codes(
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    """Each kind of error has its exit code and its words."""

    def fail() -> None:
        raise error

    monkeypatch.setitem(cli.commands.commands, "doctor", click.Command("doctor", callback=fail))
    assert call("doctor") == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("result", [0, 1, None])
def test_exit_code_of_a_command(
    call: Call, monkeypatch: pytest.MonkeyPatch, result: int | None
) -> None:
    """What a command returns is the exit code; nothing is 0."""
    command = click.Command("doctor", callback=lambda: result)
    monkeypatch.setitem(cli.commands.commands, "doctor", command)
    assert call("doctor") == (result or 0)
