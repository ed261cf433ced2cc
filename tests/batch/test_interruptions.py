"""A batch of real processes that is stopped in the middle, and goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest

from grader.gradebook import open_gradebook
from grader.reports import from_json

Start = Callable[[], subprocess.Popen[str]]
SUBMISSIONS = 3
SLOW = "import time\ntime.sleep(3.0)\n"
PATIENCE = 120.0
# What runs in the background of a script was told to ignore Ctrl-C, and its children with it.
LISTENING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from grader.cli import main
main()
"""


@pytest.fixture
def submissions(tmp_path: Path, answered: Callable[..., object]) -> Path:
    """Right hand-ins; all but the first take their time."""
    folder = tmp_path / "submissions"
    folder.mkdir()
    for number in range(SUBMISSIONS):
        notebook = answered().notebook  # type: ignore[attr-defined]
        if number:
            notebook.cells.insert(0, nbformat.v4.new_code_cell(SLOW))
        nbformat.write(notebook, folder / f"s{number}.ipynb")
    return folder


@pytest.fixture
def start(tiny_folder: Path, submissions: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts `grader batch` as a process, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []
    command = [sys.executable, "-c", LISTENING, "batch", str(tiny_folder), str(submissions)]

    def start() -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [*command, "-o", str(tmp_path / "out"), "-j", "2"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for batch in started:
        batch.kill()
        batch.communicate()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Waits, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def reports(out: Path) -> list[Path]:
    """The reports that are written."""
    return sorted(out.glob("*/report.json"))


def interrupt(batch: subprocess.Popen[str], out: Path, number: signal.Signals) -> str:
    """Sends a signal once a submission is graded, and waits until all processes have gone."""
    wait_until(lambda: len(reports(out)) >= 1 or batch.poll() is not None)
    processes = psutil.Process(batch.pid).children(recursive=True)
    assert processes, "there was nothing left to interrupt"
    batch.send_signal(number)
    printed, _ = batch.communicate(timeout=PATIENCE)
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    assert alive == []
    return printed


@pytest.mark.xdist_group("batch")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_batch_goes_on_where_it_was_stopped(
    number: signal.Signals, start: Start, tmp_path: Path
) -> None:
    """Ctrl-C and kill -9 leave no process; the same command grades the rest, and nothing twice."""
    out = tmp_path / "out"
    batch = start()
    printed = interrupt(batch, out, number)
    assert batch.returncode not in (0, None)
    assert "Traceback" not in printed
    if number is signal.SIGINT:
        assert "the same command goes on from here" in printed
    before = {path: path.stat().st_mtime_ns for path in reports(out)}
    assert 1 <= len(before) < SUBMISSIONS

    again = start()
    printed, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, printed
    scores = [from_json(path.read_text()).score for path in reports(out)]
    assert scores == [4.0] * SUBMISSIONS
    with open_gradebook(out) as book:
        graded = [len(book.history(row.id, "1a")) for row in book.score_rows()]
    assert graded == [1] * SUBMISSIONS
    kept = [path for path, stamp in before.items() if path.stat().st_mtime_ns == stamp]
    assert len(kept) >= len(before) - 1
