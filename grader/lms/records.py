"""What is found in a download, what is to be uploaded, and what an upload would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True)
class FoundSubmission:
    """One student's or group's hand-in.

    `id` is unique in the download, safe as a folder's name and the same in
    every run. `paths` are the files or the one folder of the newest attempt,
    `names` what the student called each of them (an LMS renames files). `name`
    is empty where it is unknown or marking is blind. `keys` are what this
    system's upload needs, such as `{"canvas_id": "123"}`.
    """

    id: str
    paths: tuple[Path, ...]
    name: str = ""
    email: str = ""
    submitted: datetime | None = None
    is_late: bool = False
    attempt: int = 1
    members: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class RosterEntry:
    """One row of a roster; `ids` are all the identifiers that the row gives, `id` the first."""

    id: str
    name: str = ""
    email: str = ""
    group: str = ""
    ids: tuple[str, ...] = ()


PassedOver = tuple[Path, str]
"""A file or folder that is not graded, and why."""


@dataclass(frozen=True)
class Download:
    """Everything that lies in a bulk download: nothing in it is lost silently.

    `people` are those on the roster, `missing` the ones without a submission,
    `notes` what the roster does not explain.
    """

    system: str
    submissions: tuple[FoundSubmission, ...]
    passed_over: tuple[PassedOver, ...] = ()
    missing: tuple[RosterEntry, ...] = ()
    notes: tuple[str, ...] = ()
    people: tuple[RosterEntry, ...] = ()


@dataclass(frozen=True)
class ScoreRow:
    """One submission's result as the gradebook has it, in points.

    `questions` maps a question's id to its points, or to None where nobody has
    graded it yet.
    """

    id: str
    name: str
    email: str
    score: float
    max_score: float
    pending: float
    questions: Mapping[str, float | None]
    comment: str
    feedback: Path | None
    keys: Mapping[str, str]
    report: Path | None


@dataclass(frozen=True)
class ExportOptions:
    """What an export may do.

    `scale` converts to the sheet's maximum; None means that nobody has said,
    so that two different maxima are refused. `column` names the assignment's
    column where a sheet has several.
    """

    lower: bool = False
    with_pending: bool = False
    scale: bool | None = None
    comments: bool = True
    column: str = ""


@dataclass(frozen=True)
class Change:
    """One cell of a sheet that an upload would change."""

    id: str
    name: str
    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Skipped:
    """A submission, or a part of it, that an upload leaves out, and why."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class OutputFile:
    """One file to be written, by its content or by the file that is copied."""

    name: str
    content: bytes | Path


class Form(StrEnum):
    """How an upload's files are written: the one file, a folder of them, or a zip."""

    FILE = "file"
    FOLDER = "folder"
    ZIP = "zip"


@dataclass(frozen=True)
class Plan:
    """What an upload would hold, before anything is written."""

    system: str
    form: Form
    files: tuple[OutputFile, ...]
    changes: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unchanged: int = 0
    notes: tuple[str, ...] = ()
