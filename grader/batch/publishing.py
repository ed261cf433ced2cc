"""What of a gradebook is written for whom: masked always, under pseudonyms on request."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from grader.gradebook import Gradebook, Identity, identity_of, open_gradebook
from grader.lms.records import Download, ScoreRow
from grader.privacy import People, anonymous, without_numbers
from grader.records import GivenScore, Report
from grader.reports.files import write_reports

# What a dry run has found and the gradebook does not know.
UNKNOWN = "anon-new"
# An id of no more letters is a word of any text.
LEAST_ID = 4


class Publisher:
    """Writes reports into a batch's folder, each under its id, or under its pseudonym.

    `keep` are the files that the assignment gives or asks for. A pseudonym is
    drawn once and stays; only the gradebook tells whose it is. `folder` is where
    to write, if not beside the gradebook.
    """

    def __init__(
        self,
        gradebook: Gradebook,
        *,
        is_anonymous: bool = False,
        keep: Collection[str] = (),
        download: Download | None = None,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder or gradebook.folder
        self.gradebook, self.is_anonymous, self._keep = gradebook, is_anonymous, keep
        self._identities: dict[str, Identity] = {}
        self._pseudonyms: dict[str, str] = {}
        self._numbers: frozenset[str] = frozenset()
        self._names: frozenset[str] = frozenset()
        self._learn(download)

    def _learn(self, download: Download | None) -> None:
        """Learns of everybody who is in the gradebook now, or on the download's roster."""
        self._identities = self.gradebook.identities()
        people = download.people if download else ()
        for found in download.submissions if download else ():
            self._identities[found.id] = identity_of(found)
        ids = [one for known in self._identities.values() for one in known.ids]
        listed = [one for person in people for one in (person.id, *person.ids)]
        self._numbers = frozenset([*self._identities, *ids, *listed])
        self._names = frozenset(known.name for known in self._identities.values())
        self._names |= {person.name for person in people}
        if self.is_anonymous:
            self._pseudonyms = self.gradebook.pseudonyms()

    def shown(self, identity: str) -> str:
        """What a submission is called for those who read."""
        return self._pseudonyms.get(identity, UNKNOWN) if self.is_anonymous else identity

    def kept(self, report: Report) -> Report:
        """A report as the gradebook keeps it: without the number of anybody on the roster."""
        return without_numbers(report, People(self._numbers))

    def published(self, report: Report) -> Report:
        """A report that the gradebook keeps, as it is written for others."""
        if not self.is_anonymous:
            return report
        identity = report.submission.id
        return anonymous(report, self.shown(identity), self._people(identity), self._keep)

    def _people(self, identity: str) -> People:
        known = self._identities.get(identity, Identity("", ()))
        names = {known.name, *(one for one in known.ids if " " in one)}
        return People(
            self._numbers,
            frozenset({identity, *known.ids} - {""}),
            frozenset(names - {""}),
            self._names - {""},
        )

    def hidden(self, text: str) -> str:
        """A text that may be anybody's, without the names and ids of all of them."""
        ids = frozenset(one for one in self._identities if len(one) > LEAST_ID)
        return People(self._numbers, ids, others=self._names).without_names(text)

    def folder(self, identity: str) -> Path:
        """Where the reports on a submission are written."""
        return self._folder / self.shown(identity)

    def write(self, report: Report) -> list[Path]:
        """Writes the reports on a submission, with what people gave."""
        identity = report.submission.id
        given = self._given(identity)
        return write_reports(self.published(report), self.folder(identity), given)

    def _given(self, identity: str) -> dict[str, GivenScore]:
        given = self.gradebook.given(identity)
        if not self.is_anonymous:
            return given
        people = self._people(identity)
        return {
            question: replace(
                score, comment=people.without_names(people.without_numbers(score.comment))
            )
            for question, score in given.items()
        }

    def write_missing(self, identity: str) -> None:
        """Writes the reports on a submission from the gradebook where they are not there."""
        is_there = (self.folder(identity) / "report.json").is_file()
        stored = None if is_there else self.gradebook.report(identity)
        if stored is not None:
            self.write(stored.report)

    def rows(self) -> list[ScoreRow]:
        """The scores, a row a submission; under pseudonyms, with nothing else that tells whose."""
        rows = self.gradebook.score_rows()
        if not self.is_anonymous:
            return rows
        return sorted(map(self._anonymous_row, rows), key=lambda row: row.id)

    def _anonymous_row(self, row: ScoreRow) -> ScoreRow:
        folder, people = self.folder(row.id), self._people(row.id)
        files = {name: folder / name for name in ("feedback.html", "report.json")}
        there = {name: path if path.is_file() else None for name, path in files.items()}
        return replace(
            row,
            id=self.shown(row.id),
            name="",
            email="",
            keys={},
            comment=people.without_names(people.without_numbers(row.comment)),
            feedback=there["feedback.html"],
            report=there["report.json"],
        )

    def with_names(self) -> list[str]:
        """The folders of reports that do tell whose they are, left by another batch."""
        ids = self._identities if self.is_anonymous else ()
        return [one for one in ids if (self.gradebook.folder / one / "report.json").is_file()]


@contextmanager
def anonymous_rows(folder: Path) -> Iterator[list[ScoreRow]]:
    """The scores in a batch's folder under pseudonyms, with reports that last as long.

    Raises:
        UsageError: there is no gradebook in it.
    """
    with (
        open_gradebook(folder) as gradebook,
        tempfile.TemporaryDirectory(prefix="nn-grader-anonymous-") as written,
    ):
        publisher = Publisher(gradebook, is_anonymous=True, folder=Path(written))
        for identity in gradebook.names():
            publisher.write_missing(identity)
        yield publisher.rows()
