"""Reports without personal data: masked always, and without the person on request."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from grader.privacy.masking import mask_code, mask_text
from grader.privacy.people import NOBODY, People
from grader.records import (
    AnswerCell,
    AnswerFile,
    CandidateCell,
    CellOutput,
    CellRun,
    CheckResult,
    QuestionReport,
    Repair,
    Report,
    SubmissionRecord,
)

# Of a file, before it is taken for one wherever it stands in a text.
SHORTEST_NAME = 4
Change = Callable[[str], str]


def masked(report: Report, people: People = NOBODY) -> Report:
    """The report without secrets, addresses, home folders and the numbers of `people`.

    Masking what is masked changes nothing.
    """
    texts = _Texts(lambda text: mask_text(text, people), lambda code: mask_code(code, people))
    return texts.of_report(report)


def without_numbers(report: Report, people: People) -> Report:
    """A masked report in which nobody's number stands either."""
    if not people.numbers:
        return report
    return _Texts(people.without_numbers, lambda code: mask_code(code, people)).of_report(report)


def anonymous(
    report: Report, pseudonym: str, people: People = NOBODY, keep: Collection[str] = ()
) -> Report:
    """A masked report under a pseudonym, without ids, names, names of files and the files' hash.

    `keep` are the paths of files that the assignment gives or asks for: they tell
    of nobody, and keep their names.
    """
    aliases = _aliases(report.submission.files, keep)

    def hide(text: str) -> str:
        return people.without_names(_renamed(text, aliases))

    changed = _Texts(hide, hide).of_report(without_numbers(report, people))
    files = tuple(sorted(aliases.get(name, name) for name in report.submission.files))
    return replace(changed, submission=SubmissionRecord(pseudonym, files, ""))


def _aliases(files: Collection[str], keep: Collection[str]) -> dict[str, str]:
    """What each file is called instead: as the assignment has it, else by a number."""
    aliases = {}
    for number, name in enumerate(sorted(files), start=1):
        suffix = PurePosixPath(name).suffix
        plain = suffix if re.fullmatch(r"\.\w{1,8}", suffix) else ""
        known = [path for path in keep if name == path or name.endswith(f"/{path}")]
        aliases[name] = max(known, key=len, default=f"file-{number}{plain}")
    return aliases


def _renamed(text: str, aliases: Mapping[str, str]) -> str:
    for name in sorted(aliases, key=len, reverse=True):
        for form in dict.fromkeys((name, PurePosixPath(name).name)):
            if len(form) >= SHORTEST_NAME:
                text = text.replace(form, PurePosixPath(aliases[name]).name)
    return text


@dataclass(frozen=True)
class _Texts:
    """One change of all texts in a report, and another of its code."""

    text: Change
    code: Change

    def of_report(self, report: Report) -> Report:
        return replace(
            report,
            questions=tuple(map(self._question, report.questions)),
            execution=tuple(map(self._run, report.execution)),
            notes=tuple(map(self.text, report.notes)),
            repairs=tuple(map(self._repair, report.repairs)),
        )

    def _repair(self, repair: Repair) -> Repair:
        files = tuple(map(self.text, repair.files))
        return replace(repair, text=self.text(repair.text), files=files)

    def _question(self, question: QuestionReport) -> QuestionReport:
        return replace(
            question,
            checks=tuple(map(self._check, question.checks)),
            answer=tuple(map(self._cell, question.answer)),
            files=tuple(map(self._file, question.files)),
            notes=tuple(map(self.text, question.notes)),
            evidence=tuple(map(self.text, question.evidence)),
            candidates=tuple(map(self._candidate, question.candidates)),
        )

    def _candidate(self, candidate: CandidateCell) -> CandidateCell:
        return replace(candidate, first_line=self.text(candidate.first_line))

    def _check(self, check: CheckResult) -> CheckResult:
        found = check.diagnosis
        diagnosis = replace(found, text=self.text(found.text)) if found else None
        return replace(check, message=self.text(check.message), diagnosis=diagnosis)

    def _cell(self, cell: AnswerCell) -> AnswerCell:
        change = self.code if cell.cell_type == "code" else self.text
        outputs = tuple(map(self._output, cell.outputs))
        return replace(cell, source=change(cell.source), outputs=outputs)

    def _output(self, output: CellOutput) -> CellOutput:
        # The bytes of a picture are no text.
        is_picture = output.media_type.startswith("image/") and "svg" not in output.media_type
        return output if is_picture else replace(output, data=self.text(output.data))

    def _file(self, file: AnswerFile) -> AnswerFile:
        change = self.code if file.path.endswith(".py") else self.text
        return replace(file, path=self.text(file.path), source=change(file.source))

    def _run(self, run: CellRun) -> CellRun:
        return replace(run, error=self.text(run.error), note=self.text(run.note))
