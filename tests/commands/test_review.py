"""`grader review`, up to the moment at which it serves."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from reviewing import fill, prose, report_of

from grader.assignment import Assignment
from grader.commands import review as module
from grader.commands.review import PASSWORD, review
from grader.errors import UsageError
from grader.review.access import Access


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A batch, and a server that ends at once."""
    fill(tmp_path, [report_of("ann", prose("x"))])
    monkeypatch.setattr(module, "_serve", lambda *arguments, opens: None)
    monkeypatch.delenv(PASSWORD, raising=False)
    return tmp_path


def run(*arguments: object) -> None:
    """Runs the command in this process."""
    review.main([str(argument) for argument in arguments], standalone_mode=False)


def test_link(graded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It listens on this machine alone, and names a link with a token."""
    run(graded, "--no-browser")
    out = capsys.readouterr().out
    assert re.search(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{20,}", out)
    assert "no model answers" in out


def test_what_is_served(graded: Path, monkeypatch: pytest.MonkeyPatch, tiny: Assignment) -> None:
    """The server gets the gradebook's folder, the assignment, and whether to open a browser."""
    calls: list[tuple[tuple[object, ...], bool]] = []
    monkeypatch.setattr(module, "_serve", lambda *a, opens: calls.append((a, opens)))
    run(graded, "--assignment", tiny.folder, "--name", "tom")
    (folder, access, assignment, listening, _link), opens = calls[0]
    assert folder == graded
    assert isinstance(access, Access)
    assert not access.has_password
    assert assignment.slug == "tiny"
    assert opens
    listening.close()


def test_other_machines_need_a_password(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others can reach it, a password is needed, and a short one is refused."""
    monkeypatch.setenv(PASSWORD, "short")
    with pytest.raises(UsageError, match=PASSWORD):
        run(graded, "--host", "0.0.0.0", "--no-browser")


def test_no_gradebook(tmp_path: Path) -> None:
    """A folder without a gradebook is named, with what makes one."""
    with pytest.raises(UsageError, match="grader batch"):
        run(tmp_path)


def test_nothing_graded(tmp_path: Path) -> None:
    """An empty gradebook has nothing to review."""
    fill(tmp_path, [])
    with pytest.raises(UsageError, match="nothing has been graded"):
        run(tmp_path)


def test_without_the_extra(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed is named with its cure."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(UsageError, match=r"nn-grader\[review\]"):
        run(graded)


def test_a_port_that_is_taken(graded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another program has is named."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            run(graded, "--port", port)
