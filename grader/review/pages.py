"""The review's templates, in the design of the reports."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader

from grader.batch.failures import short
from grader.batch.statistics import LEAST_SUBMISSIONS
from grader.batch.summary import Shown, summary_filters
from grader.reports.html_report import page_environment
from grader.review.access import Session

MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
# All files that are served; nothing else of the disk is.
STATIC = {
    "style.css": ("grader.reports", "templates/style.css"),
    "review.css": ("grader.review", "static/review.css"),
    "review.js": ("grader.review", "static/review.js"),
    "htmx.min.js": ("grader.review", "static/htmx.min.js"),
}


def page(template: str, session: Session | None, address: str, **values: object) -> str:
    """A rendered template; `address` is where forms lead back to."""
    text = environment().get_template(template).render(session=session, address=address, **values)
    # A lone surrogate, which a student's text may hold, cannot be sent.
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def environment() -> Environment:
    """The environment of the reports, with the review's templates before theirs."""
    reports = page_environment()
    overlay = reports.overlay()
    own = PackageLoader("grader.review", "templates")
    overlay.loader = ChoiceLoader([own, *([reports.loader] if reports.loader else [])])
    overlay.cache = {}
    overlay.filters = {**reports.filters, **summary_filters(), "short": short}
    overlay.globals = {**reports.globals, "least": LEAST_SUBMISSIONS, "shown": Shown()}
    return overlay


@cache
def static_file(name: str) -> tuple[bytes, str] | None:
    """A file that pages need, and its media type."""
    if name not in STATIC:
        return None
    package, path = STATIC[name]
    return (resources.files(package) / path).read_bytes(), MEDIA[name.rpartition(".")[2]]
