"""The batch's summary as one HTML page, `summary.html` beside the gradebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from grader.batch.failures import short
from grader.batch.publishing import Publisher
from grader.batch.statistics import (
    LEAST_SUBMISSIONS,
    BatchStatistics,
    Distribution,
    Graded,
    summarise,
)
from grader.gradebook import Gradebook, questions_with
from grader.records import CheckResult, QuestionReport, Report
from grader.reports.files import write_whole
from grader.reports.html_report import page_environment
from grader.reports.picture import histogram, share_bar

FILE, SIMILAR = "summary.html", "similar.html"


@dataclass(frozen=True)
class Shown:
    """How much of each list is on the page, so that a browser opens it; the rest is counted."""

    rows: int = 2000
    ids: int = 30
    checks: int = 25
    diagnoses: int = 25
    clusters: int = 40


def write_summary(gradebook: Gradebook, publisher: Publisher | None = None) -> Path:
    """Writes the page into the gradebook's folder, from what is in the gradebook now.

    Under pseudonyms where the publisher writes reports so.
    """
    publisher = publisher or Publisher(gradebook)
    batch = list(graded(gradebook, publisher))
    if publisher.is_anonymous:
        # The order of the ids would tell whose the first ones are.
        batch.sort(key=lambda one: one.id)
    similar = SIMILAR if (gradebook.folder / SIMILAR).is_file() else ""
    return write_whole(gradebook.folder / FILE, render_summary(summarise(batch), similar))


def graded(gradebook: Gradebook, publisher: Publisher | None = None) -> Iterator[Graded]:
    """Every submission in a gradebook, by its id, with the parts of its report that count."""
    publisher = publisher or Publisher(gradebook)
    names = gradebook.names()
    for stored in gradebook.reports():
        name = names.pop(stored.submission, "")
        manual = gradebook.manual_scores(stored.submission)
        points = questions_with(stored.report, manual)
        report = publisher.published(lean(stored.report))
        shown = "" if publisher.is_anonymous else name
        by_hand = frozenset(q for q, score in manual.items() if score.points is not None)
        yield Graded(report.submission.id, shown, report, points, by_hand)
    for identity, name in names.items():
        yield Graded(publisher.shown(identity), "" if publisher.is_anonymous else name, None, {})


def render_summary(statistics: BatchStatistics, similar: str = "") -> str:
    """The page; links lead to each submission's report.html in a folder by its id.

    `similar` is the name of the page of similar passages, where there is one.
    """
    text = (
        _environment()
        .get_template("summary.html.j2")
        .render(
            statistics=statistics,
            histogram=picture_of(statistics.distribution),
            report_link=report_link,
            commenting=None,
            shown=Shown(),
            least=LEAST_SUBMISSIONS,
            similar=similar,
        )
    )
    # A lone surrogate, which a student's text may hold, cannot be written to a file.
    return text.encode("utf-8", "replace").decode("utf-8")


def report_link(submission: str) -> str:
    """Where a submission's report lies, seen from the batch's folder."""
    return quote(f"{submission}/report.html", errors="replace")


def lean(report: Report) -> Report:
    """Without answers and evidence: of thousands of reports, they would fill the memory."""
    return replace(report, questions=tuple(_lean_question(q) for q in report.questions))


def _lean_question(question: QuestionReport) -> QuestionReport:
    checks = tuple(_lean_check(check) for check in question.checks)
    return replace(question, checks=checks, answer=(), files=())


def _lean_check(check: CheckResult) -> CheckResult:
    return replace(check, evidence=None)


@cache
def _environment() -> Environment:
    environment = page_environment().overlay()
    # An overlay shares its filters with the original.
    environment.filters = {**environment.filters, **summary_filters()}
    return environment


def summary_filters() -> dict[str, Callable[..., object]]:
    """What the summary's templates need besides what reports need."""
    return {
        "short": short,
        "signed": lambda value: f"{value:+.2f}",
        "percent": lambda value: "-" if value is None else f"{value:.0%}",
        "share_bar": lambda value: Markup(share_bar(value)),
    }


def picture_of(scores: Distribution | None) -> Markup:
    """The histogram of scores; empty where there are none."""
    if scores is None:
        return Markup()
    edges = [scores.bins[0].low, *(bin_.high for bin_ in scores.bins)]
    final, pending = ([getattr(b, part) for b in scores.bins] for part in ("final", "pending"))
    return Markup(histogram(edges, final, pending))
