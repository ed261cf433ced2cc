"""The pages on the whole batch: progress, the live summary, one comment for one failure."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from starlette.responses import Response

from grader.batch.failures import Cluster
from grader.batch.statistics import (
    BatchStatistics,
    Graded,
    summarise,
)
from grader.batch.summary import picture_of
from grader.errors import UsageError
from grader.gradebook import Gradebook, ManualScore, StandingScore, questions_with
from grader.review.answers import Answers
from grader.review.calls import Call
from grader.review.cards import progress
from grader.review.scoring import comment_all

Key = tuple[object, ...]


@dataclass
class Summaries:
    """The newest statistics, counted again once a score or a report is new."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    key: Key = ()
    found: BatchStatistics | None = None

    def get(self, gradebook: Gradebook, answers: Answers) -> BatchStatistics:
        """The statistics of what is in the gradebook now; submissions go by their handles."""
        newest = gradebook._connection.execute("SELECT max(id) FROM manual_score").fetchone()
        key = (answers.seen, newest[0])
        with self.lock:
            if self.found is None or key != self.key:
                self.found, self.key = summarise(graded(gradebook, answers)), key
            return self.found


def graded(gradebook: Gradebook, answers: Answers) -> list[Graded]:
    """Every submission with the points that count now, by its handle."""
    found = []
    given: defaultdict[str, dict[str, ManualScore]] = defaultdict(dict)
    for row in gradebook.all_standing():
        given[row.score.submission][row.score.question] = row.score
    for entry in answers.entries():
        manual = given[entry.submission]
        by_hand = frozenset(q for q, score in manual.items() if score.points is not None)
        points = questions_with(entry.report, manual)
        record = replace(entry.report.submission, id=entry.handle)
        report = replace(entry.report, submission=record)
        found.append(Graded(entry.handle, entry.name, report, points, by_hand))
    return found


def start(call: Call) -> Response:
    """The first page: every question with its progress, by reviewer."""
    standing: defaultdict[str, dict[str, StandingScore]] = defaultdict(dict)
    for row in call.book.all_standing():
        standing[row.score.question][row.score.submission] = row
    rows = [
        (about, progress(call.answers, about.id, standing[about.id]))
        for about in call.answers.questions()
    ]
    entries = call.answers.entries()
    title = entries[0].report.title if entries else ""
    return call.render("start.html.j2", rows=rows, title=title, count=len(entries))


def show(summaries: Summaries) -> Callable[[Call], Response]:
    """The page of the summary."""

    def handler(call: Call) -> Response:
        statistics = summaries.get(call.book, call.answers)
        numbers = {about.id: about.number for about in call.answers.questions()}
        return call.render(
            "class.html.j2",
            statistics=statistics,
            histogram=picture_of(statistics.distribution),
            commenting=_Commenting(call, numbers),
            report_link=lambda handle: f"/student/{quote(handle)}",
        )

    return handler


def comment(summaries: Summaries) -> Callable[[Call], Response]:
    """One comment for all who fail a check in the same way."""

    def handler(call: Call) -> Response:
        wanted = call.form.get("cluster", "")
        found = summaries.get(call.book, call.answers).clusters
        cluster = next((c for c in found if cluster_key(c) == wanted), None)
        if cluster is None:
            raise UsageError("there is no such failure any more: load the page again")
        people = [call.entry(handle).submission for handle in cluster.submissions]
        text, person = call.form.get("comment", ""), call.session.person
        comment_all(call.book, cluster.question, people, text, person, secrets.token_hex(8))
        return call.back()

    return handler


def cluster_key(cluster: Cluster) -> str:
    """Names a failure in a form."""
    parts = (cluster.question, cluster.check, cluster.cause, cluster.code, cluster.text)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class _Commenting:
    """What the summary's template needs for its forms."""

    call: Call
    numbers: dict[str, int]

    @property
    def csrf(self) -> str:
        return self.call.session.csrf

    def key(self, cluster: Cluster) -> str:
        return cluster_key(cluster)

    def label(self, handle: str) -> str:
        """What a link to a submission says."""
        entry = self.call.entry(handle)
        return (entry.name or entry.submission) if self.call.session.shows_names else handle[:6]
