"""The pages on one submission: its whole report, and scores in the place of the grader's."""

from __future__ import annotations

import math
import secrets
from collections import Counter

from markupsafe import Markup
from starlette.responses import Response

from grader.batch.statistics import submission_score
from grader.errors import UsageError
from grader.records import CellStatus
from grader.reports.audience import question_views
from grader.reports.given import with_given
from grader.reports.picture import score_bar
from grader.review.by_class import graded
from grader.review.by_question import number
from grader.review.calls import Call
from grader.review.scoring import Wanted, give

TROUBLE = {CellStatus.ERROR, CellStatus.TIMEOUT}


def listed(call: Call) -> Response:
    """All submissions with their points."""
    found = graded(call.book, call.answers)
    scores = {one.id: submission_score(one, one.report) for one in found if one.report}
    entries = [(entry, scores[entry.handle]) for entry in call.answers.entries()]
    if call.session.shows_names:
        entries.sort(key=lambda pair: (pair[0].name.casefold(), pair[0].submission))
    return call.render("students.html.j2", rows=entries)


def show(call: Call) -> Response:
    """A submission's whole report, with forms for scores and the history of each."""
    entry = call.entry(call.path["handle"])
    stored = call.book.report(entry.submission)
    if stored is None:
        raise UsageError("there is no report on it")
    given = call.book.given(entry.submission)
    report = with_given(stored.report, given)
    numbers = {about.id: about.number for about in call.answers.questions()}
    standing = call.book.manual_versions(entry.submission)
    return call.render(
        "student.html.j2",
        entry=entry,
        report=report,
        teacher=True,
        views=question_views(report, report, given),
        bar=Markup(score_bar(report)),
        ran=Counter(run.status for run in report.execution),
        trouble=[run for run in report.execution if run.status in TROUBLE],
        numbers=numbers,
        versions=standing,
        history={q.id: call.book.history(entry.submission, q.id) for q in report.questions},
        by_grader={q.id: q for q in stored.report.questions},
    )


def override(call: Call) -> Response:
    """Gives one question of one submission other points, with a reason; or takes that back."""
    entry, about = call.entry(call.path["handle"]), call.about()
    reason = " ".join(call.form.get("reason", "").split())[:500]
    if not reason:
        raise UsageError("say why: the reason is kept in the history of the score")
    is_back = call.form.get("command") == "back"
    points = None if is_back else number(call.form.get("points", ""))
    before = call.book.standing(about.id).get(entry.submission)
    comment = call.form.get("comment", before.score.comment if before else "").strip()
    version = call.form.get("version", "")
    if not version.isdigit() or not math.isfinite(points or 0.0):
        raise UsageError("the page is out of date: load it again")
    give(
        call.book,
        about.id,
        {entry.submission: int(version)},
        Wanted((), points, comment),
        about.max_points,
        call.session.person,
        secrets.token_hex(8),
        reason,
    )
    return call.back()
