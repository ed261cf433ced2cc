"""What a deformation did to the points: the same, left to a person, or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from grader.records import QuestionKind, QuestionReport, QuestionStatus, Report
from mangling.combining import Deformed
from mangling.records import Expected

MOSTLY = 90
LEFT_OPEN = (QuestionStatus.UNGRADED, QuestionStatus.PENDING)


@dataclass(frozen=True)
class Difference:
    """One question that is judged otherwise; `allowed` says whether the deformation may do so.

    `kept_from_person` says that points are gone that nobody is asked to look at.
    """

    question: str
    before: str
    after: str
    why: str
    allowed: bool
    kept_from_person: bool = False

    def __str__(self) -> str:
        """One line."""
        return f"{self.question}: {self.before} -> {self.after} ({self.why})"


def differences(before: Report, after: Report, deformed: Deformed) -> list[Difference]:
    """The questions whose points or status changed; those without points are passed over."""
    return list(_differences(before, after, deformed))


def gains(before: Report, after: Report) -> list[str]:
    """The questions that have more points than before: nothing earns them by being deformed."""
    pairs = zip(before.questions, after.questions, strict=True)
    return [f"{n.id}: {_shown(o)} -> {_shown(n)}" for o, n in pairs if n.points > o.points]


def _differences(before: Report, after: Report, deformed: Deformed) -> Iterator[Difference]:
    for old, new in zip(before.questions, after.questions, strict=True):
        if not old.max_points:
            continue
        expected = deformed.code if old.kind is QuestionKind.CODE else deformed.text
        if (old.points, old.status) == (new.points, new.status):
            if expected is not Expected.ANYTHING and (lost := _not_shown(old, new)):
                yield Difference(new.id, _shown(old), "another answer is shown", lost, False)
            continue
        allowed = expected in (Expected.ANYTHING, Expected.REFUSED) or (
            expected is Expected.OR_UNGRADED and new.status in LEFT_OPEN and _reason(new) != ""
        )
        gone = new.status not in LEFT_OPEN and new.points < new.max_points
        yield Difference(new.id, _shown(old), _shown(new), _reason(new), allowed, gone)


def is_shown(written: Sequence[str], taken: Sequence[str]) -> bool:
    """Whether all that was written stands in what was taken for the answer, but for marks."""
    shown = _letters(taken)
    return all(fuzz.partial_ratio(_letters([text]), shown) >= MOSTLY for text in written)


def _not_shown(old: QuestionReport, new: QuestionReport) -> str:
    """The beginning of a written answer that the report no longer shows."""
    shown = [c.source for c in new.answer] + [f.source for f in new.files]
    written = [c.source for c in old.answer if c.cell_type == "markdown"]
    lost = [text for text in written if not is_shown([text], shown)]
    return lost[0][:60] if lost and old.kind is not QuestionKind.CODE else ""


def _letters(texts: Sequence[str]) -> str:
    return "".join(filter(str.isalnum, "".join(texts)))


def _shown(question: QuestionReport) -> str:
    return f"{question.status} {question.points:g}/{question.max_points:g}"


def _reason(question: QuestionReport) -> str:
    """What the report says of it, shortened."""
    lacking = [c for c in question.checks if c.status != "passed" and c.message]
    parts = [*question.notes, *(f"{c.name}: {c.message}" for c in lacking[:2])]
    return "; ".join(" ".join(part.split())[:200] for part in parts)
