"""What people give, as the gradebook keeps it: every score a row, the newest counts."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grader.records import GivenItem, GivenScore


@dataclass(frozen=True)
class ManualScore:
    """What a person gave for one question; `points` is None where the grader's points count.

    `items` are the rubric's items that it consists of, `action` is the same for
    all scores that were given at once, `undoes` the action that it takes back.
    """

    submission: str
    question: str
    points: float | None
    comment: str
    person: str
    reason: str = ""
    items: tuple[int, ...] = ()
    action: str = ""
    undoes: str = ""


@dataclass(frozen=True)
class StandingScore:
    """The newest score that a person gave for one question; `version` is 0 where there is none."""

    version: int
    score: ManualScore
    created: str = ""


class ManualScores:
    """The part of a gradebook that people fill."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _insert(self, score: ManualScore) -> int:
        """Writes a score inside a transaction; returns its version."""
        fields = (score.submission, score.question, score.points, score.comment)
        cursor = self._connection.execute(
            "INSERT INTO manual_score (submission, question, points, comment, person, reason, "
            "created, action, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*fields, score.person, score.reason, now(), score.action, score.undoes),
        )
        version = int(cursor.lastrowid or 0)
        self._connection.executemany(
            "INSERT INTO manual_item VALUES (?, ?)", [(version, item) for item in score.items]
        )
        return version

    def manual_scores(self, submission: str) -> dict[str, ManualScore]:
        """What people have given a submission, by question: points, a comment, or both."""
        rows = self._standing("submission = ?", submission)
        return {
            row.score.question: row.score
            for row in rows
            if row.score.points is not None or row.score.comment
        }

    def standing(self, question: str) -> dict[str, StandingScore]:
        """The newest score that a person gave for a question, by submission."""
        return {row.score.submission: row for row in self._standing("question = ?", question)}

    def all_standing(self) -> list[StandingScore]:
        """The newest score that a person gave for each question of each submission."""
        return self._standing("'' = ?", "")

    def _standing(self, condition: str, value: str) -> list[StandingScore]:
        rows = self._connection.execute(
            "SELECT m.id, created, (SELECT group_concat(item) FROM manual_item "  # noqa: S608 - ours
            "WHERE score = m.id), submission, question, points, comment, person, reason, action, "
            "undoes FROM manual_score m WHERE m.id IN (SELECT max(id) FROM manual_score "
            f"WHERE {condition} GROUP BY submission, question) ORDER BY m.id",
            (value,),
        )
        return [_standing_score(*row) for row in rows]

    def manual_versions(self, submission: str) -> dict[str, int]:
        """The version of what people gave a submission, by question."""
        rows = self._connection.execute(
            "SELECT question, id FROM current_manual WHERE submission = ?", (submission,)
        )
        return dict(rows.fetchall())

    def reviewed(self) -> list[str]:
        """The submissions for which people have ever given something, by their ids."""
        rows = self._connection.execute("SELECT DISTINCT submission FROM manual_score ORDER BY 1")
        return [row[0] for row in rows]

    def given(self, submission: str) -> dict[str, GivenScore]:
        """What people have given a submission, by question, as reports show it."""
        names = {
            item: GivenItem(text, points)
            for item, text, points in self._connection.execute(
                "SELECT item, text, points FROM current_rubric"
            )
        }
        return {
            question: GivenScore(
                score.points, score.comment, tuple(names[item] for item in score.items)
            )
            for question, score in self.manual_scores(submission).items()
        }


def _standing_score(version: int, created: str, items: str | None, *fields: Any) -> StandingScore:
    chosen = tuple(sorted(map(int, items.split(",")))) if items else ()
    given: list[Any] = [*fields[:6], chosen, *fields[6:]]
    return StandingScore(version, ManualScore(*given), created)


def now() -> str:
    """The time, in UTC, as the gradebook notes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
