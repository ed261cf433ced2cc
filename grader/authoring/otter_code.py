"""Otter's markers in code, its test cells, and the tests in a notebook's metadata."""

from __future__ import annotations

import ast
import doctest
import re
from typing import Any

import yaml
from nbformat import NotebookNode

from grader.errors import AssignmentError
from grader.release import BEGIN, END

LINES = re.MULTILINE | re.DOTALL
CONFIG = re.compile(
    r'\A\s*"""\s*#\s*BEGIN TEST CONFIG\n(.*?)\n?"""\s*#\s*END TEST CONFIG[^\n]*\n?', re.DOTALL
)
FIRST_LINE = re.compile(r"\A\s*#+\s*(HIDDEN TEST|HIDDEN|TEST)\b[^\n]*\n?", re.IGNORECASE)
PROMPT = re.compile(r'^[ \t]*"""\s*# BEGIN PROMPT.*?"""\s*;?\s*# END PROMPT[^\n]*\n?', LINES)
IGNORED = re.compile(
    r"^[ \t]*# BEGIN IGNORE.*?^[ \t]*# END IGNORE[^\n]*\n?|^[^\n]*# IGNORE *$\n?", LINES
)
REGION = re.compile(r"^([ \t]*)#+ *(BEGIN|END) SOLUTION[^\n]*$", re.MULTILINE)
SOLUTION_LINE = re.compile(r"^([ \t]*)(.*?)\s*# SOLUTION(?: NO PROMPT)?\s*$")


def with_own_markers(source: str) -> tuple[str, list[str]]:
    """The code of a solution cell with our markers, and what that could not keep."""
    notes = []
    if PROMPT.search(source):
        notes.append("the code of its PROMPT: the release has its own blank there")
    source = IGNORED.sub("", PROMPT.sub("", source))
    source = REGION.sub(lambda m: m[1] + (BEGIN if m[2] == "BEGIN" else END), source)
    lines: list[str] = []
    for line in source.rstrip("\n").split("\n"):
        match = SOLUTION_LINE.match(line)
        if match is None or line.strip() in (BEGIN, END):
            lines.append(line)
        elif lines and lines[-1].strip() == END and lines[-1].startswith(match[1] + END):
            # A line right after another one belongs to the same region.
            lines[-1:] = [match[1] + match[2], match[1] + END]
        else:
            lines += [match[1] + BEGIN, match[1] + match[2], match[1] + END]
    text = "\n".join(lines)
    if BEGIN not in text:
        notes.append("it marks no lines as solution: the release blanks its whole cell")
    return text, notes


def split_test(source: str) -> tuple[dict[str, Any], str]:
    """A test cell's settings and its code.

    Raises:
        AssignmentError: its settings are no YAML.
    """
    match = CONFIG.match(source)
    if match:
        try:
            settings = yaml.safe_load(match[1]) or {}
        except yaml.YAMLError as error:
            raise AssignmentError(f"a test cell's config is no YAML: {error}") from error
        return dict(settings), source[match.end() :]
    first = FIRST_LINE.match(source)
    if first:
        return {"hidden": "HIDDEN" in first[1].upper()}, source[first.end() :]
    return {}, source


def as_statements(code: str) -> str:
    """An exception-based test calls itself: its parameters are the student's names."""
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return code
    tests = [n for n in body if isinstance(n, ast.FunctionDef) and n.name.startswith("test")]
    calls = []
    for test in tests:
        # Otter's decorator carries points and messages only.
        test.decorator_list = []
        names = ["student" if a.arg == "env" else a.arg for a in test.args.args]
        calls.append(f"{test.name}({', '.join(names)})")
    kept = [node for node in body if not _imports_otter(node)]
    return "\n".join([*map(ast.unparse, kept), *calls]) if tests else code


def student_tests(notebook: NotebookNode) -> dict[str, dict[str, Any]]:
    """The tests in a students' notebook: by question, its points and cases as plain code."""
    metadata = notebook.metadata.get("otter", {})
    tests = metadata.get("tests", {}) if isinstance(metadata, dict) else {}
    return {
        str(name): {"points": test.get("points"), "cases": _cases(test)}
        for name, test in tests.items()
        if isinstance(test, dict)
    }


def _cases(test: dict[str, Any]) -> list[dict[str, Any]]:
    suites = test.get("suites") or []
    cases = [case for suite in suites for case in suite.get("cases", [])]
    return [{**case, "code": _from_doctest(str(case.get("code", "")))} for case in cases]


def _from_doctest(code: str) -> str:
    """A doctest as plain statements, what it expects as assertions."""
    lines = []
    for example in doctest.DocTestParser().get_examples(code):
        source, want = example.source.strip(), example.want.strip()
        if not want:
            lines.append(source)
        elif want == "True":
            lines.append(f"assert {source}")
        else:
            lines.append(f"assert repr({source}) == {want!r}")
    return "\n".join(lines)


def _imports_otter(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("otter")
