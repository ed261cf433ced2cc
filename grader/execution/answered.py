"""What a run left of one question, and the copies of it that checks are asked in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from grader.errors import ExecutionFault, StudentDied, StudentFault
from grader.execution.hand_in import HandIn
from grader.execution.snapshots import Copy, Snapshot, SnapshotLost


@dataclass(frozen=True)
class ModuleReplacement:
    """The solution's work for the module `name`: its source, and the names to put in place.

    `whole` allows to put in all of it, where the student's cannot be imported.
    """

    name: str
    source: str
    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class AnsweredQuestion:
    """What the execution left of one question: snapshots, code and text, printed text.

    `experiments` is all of its code, cells included that were not run as
    experiments, behind what such cells before it define; `markdown` the text,
    where the question takes it. `replacements` is code of the solution's for
    earlier questions, run in each copy before a check sees it; with `rerun` the
    question's cells follow it. `modules` are put in place after it. `lost` says
    why there is no snapshot, and `by_student` whose fault that is. `hand_in` is
    the whole submission as it arrived.
    """

    before: Snapshot | None
    after: Snapshot | None
    sources: tuple[str, ...]
    output: str
    seconds: float
    experiments: tuple[str, ...] = ()
    markdown: str = ""
    replacements: str = ""
    modules: tuple[ModuleReplacement, ...] = ()
    rerun: bool = False
    lost: str = ""
    by_student: bool = False
    hand_in: HandIn = field(default_factory=HandIn)

    def open_after(self) -> Copy:
        """A copy of the namespace as it was after the question's last cell."""
        return self._prepared(self._open(self.before if self.rerun else self.after), self.rerun)

    def open_before(self) -> Copy:
        """A copy of the namespace as it was before the question's first cell."""
        return self._prepared(self._open(self.before), rerun=False)

    def _prepared(self, copy: Copy, rerun: bool) -> Copy:
        try:
            if self.replacements:
                copy.request("execute", {}, _no_object, source=self.replacements)
            for module in self.modules:
                copy.request("replace", {}, _no_object, **asdict(module))
            if rerun:
                copy.request("run_cells", {}, _no_object, sources=list(self.sources))
        except BaseException:
            copy.close()
            raise
        return copy

    def _open(self, snapshot: Snapshot | None) -> Copy:
        if snapshot is None:
            raise (StudentDied if self.by_student else ExecutionFault)(self.lost)
        try:
            return snapshot.copy(self.seconds)
        except SnapshotLost as error:
            raise ExecutionFault(f"the snapshot of the question is lost: {error}") from error


def _no_object(tree: dict[str, Any]) -> None:
    return None


class SharedCopies:
    """Copies that a check has left as they were, kept for the next check of the question.

    A fork of the student's process takes longer than most checks.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[AnsweredQuestion, str], Copy] = {}

    def take(self, question: AnsweredQuestion, state: str) -> Copy | None:
        """A copy of the question's `state` (`before` or `after` its cells), if one is kept."""
        copy = self._kept.pop((question, state), None)
        if copy is None:
            return None
        # What an earlier check called may have ended it since, or changed what it calls upon.
        with suppress(StudentFault):
            if copy.begin():
                return copy
        copy.close()
        return None

    def settle(self, copy: Copy) -> Copy:
        """Lets a copy remember the state in which the next checks are to find it."""
        try:
            copy.settle()
        except BaseException:
            copy.close()
            raise
        return copy

    def keep(self, question: AnsweredQuestion, state: str, copy: Copy) -> None:
        """Keeps a copy for the next check, unless that would see what this one did."""
        if copy.spoiled or (question, state) in self._kept:
            copy.close()
        else:
            self._kept[question, state] = copy

    def close(self) -> None:
        """Ends the copies that are kept."""
        while self._kept:
            self._kept.popitem()[1].close()
