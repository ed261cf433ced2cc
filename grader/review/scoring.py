"""How people's scores get into the gradebook: in groups, by a rubric, never over another's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grader.errors import UsageError
from grader.gradebook import Gradebook, ManualScore, StandingScore
from grader.manual_scores import now

MAX_COMMENT = 20_000
MAX_ITEM = 300


class ScoreConflict(UsageError):
    """Somebody has scored in the meantime; `theirs` is what stands now, by submission."""

    def __init__(self, theirs: Mapping[str, StandingScore]) -> None:
        people = ", ".join(sorted({row.score.person for row in theirs.values()}))
        super().__init__(f"{people or 'somebody'} has changed this in the meantime")
        self.theirs = theirs


@dataclass(frozen=True)
class RubricItem:
    """An item of a question's rubric; `version` changes with it."""

    item: int
    version: int
    question: str
    text: str
    points: float


@dataclass(frozen=True)
class Rubric:
    """A question's items in the order in which they were made.

    With `starts_full`, an answer has all points before items are counted, else none.
    """

    question: str
    items: tuple[RubricItem, ...]
    starts_full: bool

    def points(self, chosen: Sequence[int], most: float) -> float | None:
        """The points of an answer with these items, in [0, most]; None without any item."""
        prices = {item.item: item.points for item in self.items}
        counted = [prices[item] for item in chosen if item in prices]
        if not counted:
            return None
        total = math.fsum([most if self.starts_full else 0.0, *counted])
        return min(most, max(0.0, round(total, 6)))


@dataclass(frozen=True)
class Wanted:
    """What a reviewer wants to stand: items, or points typed in, and a comment."""

    items: tuple[int, ...]
    points: float | None
    comment: str


def rubric(gradebook: Gradebook, question: str) -> Rubric:
    """The rubric of a question; empty where nobody has made one."""
    rows = gradebook._connection.execute(
        "SELECT item, id, question, text, points FROM current_rubric "
        "WHERE question = ? AND NOT is_removed ORDER BY item",
        (question,),
    )
    start = gradebook._connection.execute(
        "SELECT is_full FROM rubric_start WHERE question = ? ORDER BY id DESC LIMIT 1", (question,)
    ).fetchone()
    return Rubric(question, tuple(RubricItem(*row) for row in rows), bool(start and start[0]))


def give(
    gradebook: Gradebook,
    question: str,
    versions: Mapping[str, int],
    wanted: Wanted,
    most: float,
    person: str,
    action: str,
    reason: str = "",
) -> None:
    """Gives the submissions in `versions` the same score, if nobody has changed one since.

    Raises:
        ScoreConflict: one of them has another version by now; nothing is written.
        UsageError: the points are none, or the comment is too long.
    """
    _require_sane(wanted, most)
    with gradebook._writing():
        standing = gradebook.standing(question)
        theirs = {s: standing[s] for s, v in versions.items() if _version(standing, s) != v}
        if theirs:
            raise ScoreConflict(theirs)
        found = rubric(gradebook, question)
        known = {item.item for item in found.items}
        items = tuple(sorted(known & {*wanted.items}))
        points = found.points(items, most) if items else wanted.points
        for submission in versions:
            before = standing.get(submission)
            after = ManualScore(
                submission, question, points, wanted.comment, person, reason, items, action
            )
            if not _is_same(before.score if before else _nothing(submission, question), after):
                gradebook._insert(after)


def _version(standing: Mapping[str, StandingScore], submission: str) -> int:
    return standing[submission].version if submission in standing else 0


def _nothing(submission: str, question: str) -> ManualScore:
    return ManualScore(submission, question, None, "", "")


def _is_same(one: ManualScore, other: ManualScore) -> bool:
    return not other.reason and (one.points, one.comment, one.items) == (
        other.points,
        other.comment,
        other.items,
    )


def _require_sane(wanted: Wanted, most: float) -> None:
    if wanted.points is not None and not 0 <= wanted.points <= most:
        raise UsageError(f"points are a number from 0 to {most:g}")
    if len(wanted.comment) > MAX_COMMENT:
        raise UsageError(f"a comment has at most {MAX_COMMENT} characters")


def undo(gradebook: Gradebook, question: str, person: str) -> str:
    """Takes back what a person did last to a question's scores; returns what that was.

    Raises:
        ScoreConflict: somebody has changed one of those scores since; nothing is written.
        UsageError: there is nothing to take back.
    """
    with gradebook._writing() as connection:
        row = connection.execute(
            "SELECT action FROM manual_score WHERE question = ? AND person = ? AND action != '' "
            "AND undoes = '' AND action NOT IN (SELECT undoes FROM manual_score "
            "WHERE question = ? AND person = ?) ORDER BY id DESC LIMIT 1",
            (question, person, question, person),
        ).fetchone()
        if row is None:
            raise UsageError("there is nothing of yours to take back here")
        action = row[0]
        firsts = connection.execute(
            "SELECT submission, min(id), max(id) FROM manual_score "
            "WHERE question = ? AND person = ? AND action = ? GROUP BY submission",
            (question, person, action),
        ).fetchall()
        standing = gradebook.standing(question)
        theirs = {
            submission: standing[submission]
            for submission, _, last in firsts
            if _is_others(gradebook, submission, question, last, person)
        }
        if theirs:
            raise ScoreConflict(theirs)
        for submission, first, _ in firsts:
            gradebook._insert(
                replace(
                    _before(gradebook, submission, question, first),
                    person=person,
                    reason="taken back",
                    action=f"undo {action}",
                    undoes=action,
                )
            )
    return f"{len(firsts)} {'score' if len(firsts) == 1 else 'scores'} taken back"


def _is_others(
    gradebook: Gradebook, submission: str, question: str, version: int, person: str
) -> bool:
    """Whether something but the person's own scoring has come after a version."""
    row = gradebook._connection.execute(
        "SELECT count(*) FROM manual_score WHERE submission = ? AND question = ? AND id > ? "
        "AND (person != ? OR action = '')",
        (submission, question, version, person),
    ).fetchone()
    return bool(row[0])


def _before(gradebook: Gradebook, submission: str, question: str, first: int) -> ManualScore:
    """What stood before a row was written."""
    row = gradebook._connection.execute(
        "SELECT id, points, comment FROM manual_score "
        "WHERE submission = ? AND question = ? AND id < ? ORDER BY id DESC LIMIT 1",
        (submission, question, first),
    ).fetchone()
    if row is None:
        return _nothing(submission, question)
    chosen = gradebook._connection.execute(
        "SELECT item FROM manual_item WHERE score = ? ORDER BY item", (row[0],)
    )
    items = tuple(item for (item,) in chosen)
    return ManualScore(submission, question, row[1], row[2], "", items=items)


def add_item(gradebook: Gradebook, question: str, text: str, points: float, person: str) -> int:
    """Adds an item to a question's rubric; returns its number.

    Raises:
        UsageError: it has no name, or its points are no number.
    """
    text = _item_text(text, points)
    with gradebook._writing() as connection:
        row = connection.execute("SELECT ifnull(max(item), 0) + 1 FROM rubric_change").fetchone()
        _write_item(gradebook, RubricItem(row[0], 0, question, text, points), person)
    return int(row[0])


def change_item(
    gradebook: Gradebook,
    changed: RubricItem,
    most: float,
    person: str,
    *,
    is_removed: bool = False,
) -> int:
    """Renames, reprices or removes an item; all scores that have it follow.

    `changed.version` is the version that was seen. Returns how many scores followed.

    Raises:
        UsageError: the item has been changed since, is gone, or is no item as it is now.
    """
    text = _item_text(changed.text, changed.points)
    with gradebook._writing():
        before = rubric(gradebook, changed.question)
        old = next((i for i in before.items if i.item == changed.item), None)
        if old is None or old.version != changed.version:
            raise UsageError("somebody has changed this rubric item in the meantime; look again")
        _write_item(gradebook, replace(changed, text=text), person, is_removed=is_removed)
        if not is_removed and old.points == changed.points:
            return 0
        new = "removed" if is_removed else f"{changed.points:+g}"
        reason = f"rubric item {old.text!r}: {old.points:+g} is now {new}"
        return _follow(gradebook, changed.question, most, person, reason, changed.item)


def set_start(
    gradebook: Gradebook, question: str, most: float, person: str, *, starts_full: bool
) -> int:
    """Says from where a question's items are counted; all scores that have items follow."""
    with gradebook._writing() as connection:
        connection.execute(
            "INSERT INTO rubric_start (question, is_full, person, created) VALUES (?, ?, ?, ?)",
            (question, int(starts_full), person, now()),
        )
        reason = f"the rubric starts at {'full' if starts_full else 'no'} points"
        return _follow(gradebook, question, most, person, reason, None)


def _item_text(text: str, points: float) -> str:
    text = " ".join(text.split())
    if not text or len(text) > MAX_ITEM or not math.isfinite(points):
        raise UsageError(
            f"a rubric item is a name of up to {MAX_ITEM} characters and a number of points"
        )
    return text


def _write_item(
    gradebook: Gradebook, item: RubricItem, person: str, *, is_removed: bool = False
) -> None:
    gradebook._connection.execute(
        "INSERT INTO rubric_change (item, question, text, points, is_removed, person, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (item.item, item.question, item.text, item.points, int(is_removed), person, now()),
    )


def _follow(
    gradebook: Gradebook, question: str, most: float, person: str, reason: str, item: int | None
) -> int:
    """Counts the scores anew that have an item, or any item; returns how many changed."""
    found = rubric(gradebook, question)
    known = {one.item for one in found.items}
    changed = 0
    for row in gradebook.standing(question).values():
        concerned = item in row.score.items if item is not None else bool(row.score.items)
        if concerned:
            items = tuple(one for one in row.score.items if one in known)
            points = found.points(items, most)
            after = replace(row.score, points=points, items=items, person=person, reason=reason)
            gradebook._insert(replace(after, action="", undoes=""))
            changed += 1
    return changed


def comment_all(
    gradebook: Gradebook,
    question: str,
    submissions: Sequence[str],
    comment: str,
    person: str,
    action: str,
) -> int:
    """Adds one comment to a question of many submissions, after what was said already.

    Points stay as they are. Returns how many have got it.

    Raises:
        UsageError: there is no comment, or it is too long.
    """
    comment = comment.strip()
    if not comment:
        raise UsageError("there is no comment to give")
    _require_sane(Wanted((), None, comment), 0)
    given = 0
    with gradebook._writing():
        standing = gradebook.standing(question)
        for submission in submissions:
            row = standing.get(submission)
            before = row.score if row else ManualScore(submission, question, None, "", person)
            if comment in before.comment:
                continue
            words = f"{before.comment}\n\n{comment}" if before.comment else comment
            after = replace(before, comment=words, person=person, action=action, undoes="")
            gradebook._insert(replace(after, reason="one comment for all with the same failure"))
            given += 1
    return given


def separate(gradebook: Gradebook, question: str, submission: str, person: str) -> None:
    """Takes a submission out of its group of like answers, for good."""
    with gradebook._writing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO separation (submission, question, person, created) "
            "VALUES (?, ?, ?, ?)",
            (submission, question, person, now()),
        )


def separated(gradebook: Gradebook, question: str) -> set[str]:
    """The submissions that are scored by themselves."""
    rows = gradebook._connection.execute(
        "SELECT submission FROM separation WHERE question = ?", (question,)
    )
    return {row[0] for row in rows}
