"""What submissions have in common, as one HTML page: `similar.html` beside the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape

from grader.assignment import Assignment
from grader.batch.failures import short
from grader.batch.publishing import Publisher
from grader.batch.summary import SIMILAR, report_link
from grader.errors import SubmissionError
from grader.lms import FoundSubmission, load_found
from grader.privacy import mask_code, mask_text
from grader.reports.files import write_whole
from grader.reports.html_report import page_environment
from grader.reports.plain import clip, plain
from grader.similarity import Document, Given, Pair, document_of, read_given
from grader.similarity.comparing import Excerpt, Passage, compare_all

# Characters of one passage; who wants to see more opens both reports.
HEAD, TAIL = 4000, 1000


@dataclass(frozen=True)
class Shown:
    """How much of it is on the page, so that a browser opens it; the rest is counted."""

    rows: int = 1000
    pairs: int = 100
    passages: int = 60


@dataclass(frozen=True)
class Similar:
    """What the page is made from: pairs, most first, and who could not be compared."""

    title: str
    compared: int
    pairs: Sequence[Pair]
    unread: Sequence[str] = ()


def write_similar(
    assignment: Assignment, found: Iterable[FoundSubmission], publisher: Publisher
) -> Path:
    """Compares the submissions of a download, and writes the page into the gradebook's folder."""
    result = find_similar(assignment, found, publisher.shown)
    hide = publisher.hidden if publisher.is_anonymous else None
    return write_whole(publisher.gradebook.folder / SIMILAR, render_similar(result, hide))


def find_similar(
    assignment: Assignment,
    found: Iterable[FoundSubmission],
    shown: Callable[[str], str] = lambda identity: identity,
) -> Similar:
    """The pairs with something in common; what cannot be read is listed, not compared."""
    given = _given(assignment)
    documents: list[Document] = []
    unread: list[str] = []
    for one in found:
        try:
            submission = load_found(one, assignment.answer_files, assignment.release)
        except (SubmissionError, OSError):
            unread.append(shown(one.id))
        else:
            documents.append(document_of(submission, given, shown(one.id)))
    # By what they are called on the page: the order must not tell whose they are.
    documents.sort(key=lambda document: document.id)
    pairs = compare_all(documents)
    return Similar(assignment.title, len(documents), pairs, tuple(sorted(unread)))


def _given(assignment: Assignment) -> Given:
    """What was handed out, and the solution: two right answers that are like it prove nothing."""
    solution = {path: text.encode() for path, text in assignment.solution_files.items()}
    return read_given((assignment.release, assignment.files), (assignment.solution, solution))


def render_similar(result: Similar, hide: Callable[[str], str] | None = None) -> str:
    """The page; `hide` takes names out of what is shown."""
    render = _environment().get_template("similar.html.j2").render
    change = hide or (lambda text: text)
    text = render(
        result=result,
        shown=Shown(),
        sides=lambda passage: _sides(passage, change),
        label=lambda text: change(mask_text(text)),
    )
    # A lone surrogate, which a student's text may hold, cannot be written to a file.
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def _environment() -> Environment:
    environment = page_environment().overlay()
    # An overlay shares its filters with the original.
    environment.filters = {
        **environment.filters,
        "report_link": report_link,
        "short": short,
        "percent": lambda share: f"{share:.0%}",
    }
    return environment


def _sides(passage: Passage, change: Callable[[str], str]) -> list[tuple[str, Markup]]:
    """Both sides of a passage: where it stands, and its lines with what coincides marked."""
    mask = mask_code if passage.is_code else mask_text
    return [
        (excerpt.part, _marked(excerpt, lambda text: change(mask(text))))
        for excerpt in (passage.first, passage.second)
    ]


def _marked(excerpt: Excerpt, change: Callable[[str], str]) -> Markup:
    source, start, end = excerpt.source, excerpt.start, excerpt.end
    first = source.rfind("\n", 0, start) + 1
    after = source.find("\n", end)
    last = after if after >= 0 else len(source)
    pieces = (source[first:start], source[start:end], source[end:last])
    before, inside, rest = (escape(clip(plain(change(piece)), HEAD, TAIL)) for piece in pieces)
    return Markup("{}<mark>{}</mark>{}").format(before, inside, rest)
