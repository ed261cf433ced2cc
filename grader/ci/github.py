"""One step of a GitHub workflow: annotations, a summary, outputs, and files for an artifact.

Nothing that a student wrote reaches the log but in annotations, escaped; details of faults, which
may quote anything, stand between `::stop-commands::` and its token.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from grader.ci.annotations import Annotation, annotate
from grader.ci.classroom import reporter_results
from grader.ci.files import write_for_student
from grader.ci.grading import OUR_FAULT, Graded
from grader.ci.summary import fault_summary, points_table, summary
from grader.records import Report
from grader.reports.wording import number

SUMMARY_BYTES = 1024 << 10
"""GitHub takes no larger summary of a step."""
WHERE = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")


def tell(graded: Graded, path: Path, out: Path, environment: Mapping[str, str]) -> list[str]:
    """Writes what a step leaves behind, and returns the lines of its log.

    `path` is the submission, `out` the folder of the artifact. Without GitHub's
    environment the files that it names are not written.
    """
    summary_file, output_file = (environment.get(name) for name in WHERE)
    report = graded.report
    if report is not None:
        write_for_student(report, out)
    if summary_file:
        room = SUMMARY_BYTES - _size(Path(summary_file))
        made = summary(report, room) if report else fault_summary(graded.fault)
        _append(Path(summary_file), made)
    if output_file and report is not None:
        _append(Path(output_file), _outputs(report, graded.code))
    table = points_table(report) if report else []
    return [*_marks(graded, path, environment), *table, *_details(graded)]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _outputs(report: Report, code: int) -> str:
    """Numbers and base64 alone: no line of it can be mistaken for another output."""
    values = {
        "score": number(report.score),
        "max-score": number(report.max_score),
        "pending": number(report.pending),
        "classroom": reporter_results(report, code),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _marks(graded: Graded, path: Path, environment: Mapping[str, str]) -> list[str]:
    marks: list[Annotation] = []
    if graded.fault:
        whose = "A fault of the grader's" if graded.code == OUR_FAULT else "Not graded"
        marks.append(Annotation("error", whose, graded.fault))
    elif graded.report is not None:
        root = Path(environment.get("GITHUB_WORKSPACE") or ".").resolve()
        files, notebook = _in_repository(graded, path, root)
        marks += annotate(graded.report, files, notebook)
    return [mark.command() for mark in marks]


def _in_repository(graded: Graded, path: Path, root: Path) -> tuple[dict[str, bytes], str]:
    """The submission's files by their paths in the repository, and its notebook's path."""
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    prefix = PurePosixPath(Path(os.path.relpath(folder, root)).as_posix())
    handed_in = graded.report.submission.files if graded.report else ()
    files = {(prefix / name).as_posix(): b"" for name in handed_in}
    if not graded.notebook:
        return files, ""
    notebook = (prefix / graded.notebook).as_posix()
    # What a zip file holds has no lines in the repository.
    there = folder / graded.notebook
    return files | {notebook: there.read_bytes() if there.is_file() else b""}, notebook


def _details(graded: Graded) -> list[str]:
    if not graded.details:
        return []
    token = secrets.token_hex(16)
    # Lines of other kinds of line ends, too, begin where GitHub sees one begin.
    return [f"::stop-commands::{token}", *graded.details.splitlines(), f"::{token}::"]
