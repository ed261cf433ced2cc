"""A report as one HTML page: for the teacher everything, for the student what is theirs.

The pages need no network and no script. What students and checks wrote is
escaped by the templates, or made safe by the renderers registered here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.records import (
    AnswerCell,
    AnswerFile,
    CellOutput,
    CellRun,
    CellStatus,
    GivenScore,
    GradientEvidence,
    Report,
)
from grader.reports import wording
from grader.reports.audience import for_student, question_views
from grader.reports.code import render_code
from grader.reports.given import with_given
from grader.reports.markdown import render_markdown
from grader.reports.outputs import render_output
from grader.reports.picture import gradient_picture, score_bar
from grader.reports.plain import clip, plain


def render_instructor(report: Report, given: Mapping[str, GivenScore] | None = None) -> str:
    """Return the teacher's page: every check, the answers, and how the notebook ran.

    `given` is what people gave, by question, before the grader's points.
    """
    full = with_given(report, given or {})
    return _page(full, full, given or {}, teacher=True)


def render_student(report: Report, given: Mapping[str, GivenScore] | None = None) -> str:
    """Return the student's page; nothing of a hidden check is in it but its points."""
    full = with_given(report, given or {})
    return _page(for_student(full), full, given or {}, teacher=False)


def _page(shown: Report, full: Report, given: Mapping[str, GivenScore], *, teacher: bool) -> str:
    text = (
        page_environment()
        .get_template("page.html.j2")
        .render(
            teacher=teacher,
            report=shown,
            views=question_views(shown, full, given),
            bar=Markup(score_bar(shown)),
            ran=Counter(run.status for run in shown.execution),
            trouble=[run for run in shown.execution if _is_trouble(run)],
        )
    )
    # A lone surrogate, which JSON may carry, cannot be written to a file.
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_trouble(run: CellRun) -> bool:
    return run.status in {CellStatus.ERROR, CellStatus.TIMEOUT}


@cache
def page_environment() -> Environment:
    """What the templates of reports are rendered with: one design for every page."""
    environment = Environment(
        loader=PackageLoader("grader.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        style=Markup(_style()),
        out_of=wording.out_of,
        causes=wording.CAUSES,
        question_words=wording.QUESTION_WORDS,
        check_words=wording.CHECK_WORDS,
        symbols=wording.SYMBOLS,
    )
    environment.filters.update(
        answer=_answer,
        file_answer=_file_answer,
        output=_output,
        picture=_picture,
        message=_message,
        markdown=_markdown,
        signed_points=wording.signed,
        number=wording.number,
        points=wording.points,
        repair=wording.repair_words,
        measured=wording.measured,
        earned=wording.earned,
    )
    return environment


def _style() -> str:
    return (resources.files("grader.reports") / "templates" / "style.css").read_text("utf-8")


def _answer(cell: AnswerCell) -> Markup:
    """Return a cell's source as its type asks for."""
    if cell.cell_type == "markdown":
        return Markup(f'<div class="prose">{render_markdown(cell.source)}</div>')
    if cell.cell_type == "code":
        return Markup(
            f'<pre class="code" tabindex="0"><code>{render_code(cell.source)}</code></pre>'
        )
    return Markup('<pre class="code" tabindex="0">{}</pre>').format(clip(plain(cell.source)))


def _file_answer(part: AnswerFile) -> Markup:
    """Return a file's part as a cell of its kind would be shown."""
    kinds = {".py": "code", ".md": "markdown"}
    kind = kinds.get(PurePosixPath(part.path).suffix, "raw")
    return _answer(AnswerCell(part.first_line, kind, part.source))


def _output(output: CellOutput, cell: int) -> Markup:
    return Markup(render_output(output, cell))


def _picture(evidence: GradientEvidence) -> Markup:
    return Markup(gradient_picture(evidence))


def _markdown(text: str) -> Markup:
    return Markup(render_markdown(text))


def _message(text: str) -> str:
    return clip(plain(text)).strip()
