"""An audit as JSON and as one HTML page."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path

import cattrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import DiffLexer  # type: ignore[import-untyped]

from grader.audit import table
from grader.audit.records import AuditReport, MutantStatus


def to_json(report: AuditReport) -> str:
    """The audit as JSON, schema `nn-grader/audit/v1`: the record, the score and the verdict."""
    content = cattrs.Converter().unstructure(report)
    content = {"schema": content.pop("schema"), **content}
    content |= {"mutation_score": report.score, "passed": report.passed}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_html(report: AuditReport) -> str:
    """The audit as a page in the look of the reports."""
    score = table.score_words(report)
    explained = (MutantStatus.EQUIVALENT, MutantStatus.DECLARED, MutantStatus.EXPLAINED)
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            report=report,
            verdict=[line for line in table.verdict(report) if line != score],
            score=score,
            time=table.time_words(report),
            promise_words=table.WORDS,
            explained=[mutant for mutant in report.mutants if mutant.status in explained],
            killed=[m for m in report.mutants if m.status is MutantStatus.KILLED],
        )
    )


def write_audit(report: AuditReport, directory: Path) -> list[Path]:
    """Writes audit.html and audit.json into `directory`; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {"audit.html": to_html(report), "audit.json": to_json(report)}
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")
    return [directory / name for name in texts]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (resources.files("grader.reports") / "templates" / "style.css").read_text("utf-8")
    environment.globals.update(style=Markup(style), heading=table.heading)
    environment.filters.update(diff=_diff)
    return environment


def _diff(text: str) -> Markup:
    # nowrap: the template's own <pre> is styled; Pygments escapes the text.
    return Markup(highlight(text, DiffLexer(), HtmlFormatter(nowrap=True)))
