"""Gradescope: the export of submissions, and what its autograder reads.

An export holds `submission_<number>/` and `submission_metadata.yml`, whose keys are Ruby symbols;
results.json is described at https://gradescope-autograders.readthedocs.io/en/latest/specs/.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from grader.errors import UsageError
from grader.lms.records import (
    Form,
    FoundSubmission,
    OutputFile,
    PassedOver,
    Plan,
    ScoreRow,
    Skipped,
)
from grader.records import CheckResult, CheckStatus, QuestionReport, QuestionStatus, Report
from grader.reports import from_json
from grader.reports.audience import for_student
from grader.reports.plain import clip, plain
from grader.reports.wording import CAUSES, points

SYSTEM = "gradescope"
METADATA = "submission_metadata.yml"
VISIBLE, HIDDEN = "visible", "hidden"
# Whatever else went wrong with a check was not the student's doing.
COUNTED = {CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.TIMEOUT}

# Such a question's points are not in the score, so neither are its checks'.
WAITING = {QuestionStatus.PENDING, QuestionStatus.UNGRADED}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads plain data alone; what Ruby tagged as an object of its own becomes a mapping."""


def _untagged(loader: Any, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("!ruby/", _untagged)


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether the metadata of an export lies there."""
    return (folder / METADATA).is_file()


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions; their ids are the students' numbers, or the submission's for a group.

    Raises:
        UsageError: the metadata cannot be read.
    """
    metadata = _metadata(folder / METADATA)
    found, passed_over = [], []
    for entry in entries:
        if entry.name == METADATA:
            passed_over.append((entry, "Gradescope's list of submissions"))
        elif entry.stem in metadata:
            found.append(_submission(entry, metadata.pop(entry.stem)))
        elif entry.is_dir():
            found.append(_submission(entry, {}))
        else:
            passed_over.append((entry, f"{METADATA} does not know it"))
    passed_over += [
        (folder / name, f"{METADATA} lists it, but it is not there") for name in metadata
    ]
    return found, passed_over


def _metadata(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tree = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a safe loader's child
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path}: it cannot be read ({reason}); export it again") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: it lists no submissions; export it again")
    return {str(name): _plain_keys(value) for name, value in tree.items()}


def _plain_keys(value: Any) -> dict[str, Any]:
    """A mapping by its keys without the colon that marks a symbol."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key).lstrip(":"): inner for key, inner in value.items()}


def _submission(path: Path, about: Mapping[str, Any]) -> FoundSubmission:
    listed = about.get("submitters")
    people = [_plain_keys(person) for person in listed] if isinstance(listed, list) else []
    # Students who have not been told their number yet have none.
    ids = [_text(p.get("sid")) or _text(p.get("email")) for p in people]
    history = about.get("history")
    keys = {"gradescope_submission": path.stem}
    if len(people) == 1 and ids[0]:
        keys["student_id"] = ids[0]
    return FoundSubmission(
        id=ids[0] if len(people) == 1 and ids[0] else path.stem,
        paths=(path,),
        name=", ".join(name for p in people if (name := _text(p.get("name")))),
        email=_text(people[0].get("email")) if len(people) == 1 else "",
        submitted=_time(about.get("created_at")),
        attempt=1 + len(history) if isinstance(history, list) else 1,
        members=tuple(filter(None, ids)) if len(people) > 1 else (),
        keys=keys,
        names=(path.name,),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _time(value: object) -> datetime | None:
    if isinstance(value, Mapping):
        value = _plain_keys(value).get("utc")
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


# --- what the autograder reads -----------------------------------------------------


def results_json(report: Report) -> dict[str, Any]:
    """A report as Gradescope's results.json.

    Each check is a test, a hidden check one that students never see. `score` is
    given for the whole, because a question's points need not be the sum of its
    checks'. What is not the student's fault, or waits for a person, is shown
    without points.
    """
    tests = [test for question in report.questions for test in _tests(question)]
    waiting = f"{points(report.pending)} wait for a person." if report.pending else ""
    return {
        "score": _number(report.score),
        "execution_time": _number(report.seconds),
        "output": "\n".join(filter(None, [waiting, *map(plain, for_student(report).notes)])),
        "output_format": "text",
        "visibility": VISIBLE,
        "stdout_visibility": HIDDEN,
        "tests": tests,
        "extra_data": {"schema": report.schema, "assignment": report.assignment},
    }


def _tests(question: QuestionReport) -> list[dict[str, Any]]:
    if not question.checks:
        return [_unchecked(question)]
    return [_test(question, check) for check in question.checks]


def _unchecked(question: QuestionReport) -> dict[str, Any]:
    return {
        "number": question.id,
        "name": plain(question.title),
        "output": f"{points(question.max_points)}: {question.status.value.replace('_', ' ')}",
        "output_format": "text",
        "visibility": VISIBLE,
    }


def _test(question: QuestionReport, check: CheckResult) -> dict[str, Any]:
    diagnosis = check.diagnosis.text if check.diagnosis else ""
    reasons = (diagnosis, check.message or CAUSES.get(check.cause, ""))
    test: dict[str, Any] = {
        "number": question.id,
        "name": plain(f"{question.title}: {check.description or check.name}"),
        "name_format": "text",
        "output": clip(plain("\n".join(filter(None, reasons)))),
        "output_format": "text",
        "visibility": HIDDEN if check.hidden else VISIBLE,
    }
    if check.status in COUNTED:
        test["status"] = "passed" if check.status is CheckStatus.PASSED else "failed"
        if check.max_points and question.status not in WAITING:
            test["score"] = _number(check.points)
            test["max_score"] = _number(check.max_points)
    return test


def _number(value: float) -> float:
    return round(value, 4) if math.isfinite(value) else 0.0


def plan(rows: Sequence[ScoreRow]) -> Plan:
    """A results.json for each submission, in a folder with its id."""
    files, skipped = [], []
    for row in rows:
        if row.report is None or not row.report.is_file():
            skipped.append(Skipped(row.id, row.name, "it has no report.json"))
            continue
        report = from_json(row.report.read_text(encoding="utf-8"))
        text = json.dumps(results_json(report), indent=1, allow_nan=False, ensure_ascii=False)
        files.append(OutputFile(f"{row.id}/results.json", f"{text}\n".encode()))
    return Plan(SYSTEM, Form.FOLDER, tuple(files), skipped=tuple(skipped))
