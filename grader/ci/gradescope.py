"""Gradescope's container: /autograder/submission in, /autograder/results/results.json out.

A submission that outlasts Gradescope's own time limit gets 0 points there. So the grading runs in
a process of its own, which writes what it knows after each question, and is ended in time; what
was not judged then is said, and takes no points. Only where nothing at all was judged by a fault
of ours there is no score, so that Gradescope tells of a failure instead of a zero.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.ci.grading import OUR_FAULT, Graded, faults, grade_one, is_judged
from grader.lms.gradescope import results_json
from grader.records import Report
from grader.reports.files import write_whole
from grader.reports.plain import one_line
from grader.reports.wording import number

SOURCE, SUBMISSION, RESULTS = "source", "submission", "results/results.json"
METADATA = "submission_metadata.json"
SETTINGS = "settings.json"
NOT_YOURS = "This is no fault of yours, and costs no points. Please tell your instructors."
BEGUN = f"The grading did not come to an end. {NOT_YOURS}"
TOO_LATE = f"The grading was stopped for want of time: some questions were not judged. {NOT_YOURS}"
FAULT = f"The grader could not finish. {NOT_YOURS}"
NO_TIME = f"The grading was stopped for want of time before anything was judged. {NOT_YOURS}"
SHARE_OF_NOTEBOOK = 0.5
"""How much of the time the notebook itself may take; the rest is for its checks."""


@dataclass(frozen=True)
class Settings:
    """What the autograder was packaged with; `seconds` are less than Gradescope's limit."""

    assignment: str
    isolation: str
    seconds: float

    def text(self) -> str:
        """As it lies in the zip file."""
        return json.dumps(asdict(self), indent=1) + "\n"


def watch(root: Path) -> int:
    """Grades in a process of its own, and sees to it that there are results in time."""
    start = time.monotonic()
    settings = _settings(root)
    results = root / RESULTS
    results.parent.mkdir(parents=True, exist_ok=True)
    _write(results, _without_score(BEGUN))
    command = [sys.executable, "-m", "grader.ci", "gradescope", "--root", str(root), "--grade"]
    with subprocess.Popen(command, start_new_session=True) as process:  # noqa: S603 - our own
        try:
            code = process.wait(settings.seconds - (time.monotonic() - start))
        except subprocess.TimeoutExpired:
            _end(process)
            return _amend(results, TOO_LATE, NO_TIME)
    return code if code in (0, OUR_FAULT) else _amend(results, FAULT, FAULT)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _amend(results: Path, some: str, none: str) -> int:
    """Says before what is known already that there is no more; 3 where nothing is."""
    known = json.loads(results.read_text(encoding="utf-8"))
    if "score" not in known:
        _write(results, _without_score(none))
        return OUR_FAULT
    _write(results, _with_words(known, some))
    return 0


def _with_words(results: dict[str, Any], words: str) -> dict[str, Any]:
    said = results["output"].removeprefix(BEGUN).lstrip("\n")
    return results | {"output": "\n".join(filter(None, [words, said]))}


def grade(root: Path) -> int:
    """Grades the submission, and writes the results as they come."""
    settings, metadata = _settings(root), _metadata(root / METADATA)
    results = root / RESULTS

    def judged(report: Report) -> None:
        if is_judged(report):
            # Should even this process's watcher be killed, these words stand there.
            _write(results, _with_words(results_json(report), BEGUN))

    graded = grade_one(
        root / SOURCE / settings.assignment,
        root / SUBMISSION,
        identity=f"submission_{metadata['id']}" if "id" in metadata else "",
        isolation=settings.isolation,
        seconds=settings.seconds * SHARE_OF_NOTEBOOK,
        judged=judged,
    )
    print(*_log(graded, metadata), sep="\n", flush=True)  # noqa: T201 - for the instructors
    return _finish(graded, results)


def _finish(graded: Graded, results: Path) -> int:
    report = graded.report
    if report is None or (not is_judged(report) and any(faults(report))):
        return _amend(results, FAULT, FAULT)
    _write(results, results_json(report))
    return 0


def _log(graded: Graded, metadata: dict[str, Any]) -> list[str]:
    """What instructors find in the autograder's output; students do not see it."""
    lines = [one_line(graded.fault)] if graded.fault else []
    lines += graded.details.splitlines()
    if graded.report is not None:
        lines += [f"{c.cause}: {c.name}: {one_line(c.message)}" for c in faults(graded.report)]
        lines.append(f"isolation: {graded.report.isolation}")
        lines += _about_total(graded.report, metadata)
    return lines


def _about_total(report: Report, metadata: dict[str, Any]) -> list[str]:
    about = metadata.get("assignment")
    written = str(about.get("total_points", "")) if isinstance(about, dict) else ""
    with suppress(ValueError):
        if float(written) != report.max_score:
            most = number(report.max_score)
            return [f"Gradescope's assignment has {written} points, the grader's {most}"]
    return []


def _settings(root: Path) -> Settings:
    return Settings(**json.loads((root / SOURCE / SETTINGS).read_text(encoding="utf-8")))


def _metadata(path: Path) -> dict[str, Any]:
    """Gradescope's words on the submission; grading goes on without them."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _without_score(words: str) -> dict[str, Any]:
    return {
        "output": words,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
    }


def _write(path: Path, results: dict[str, Any]) -> None:
    write_whole(path, json.dumps(results, indent=1, allow_nan=False) + "\n")
