"""The JSON follows its schema and comes back as the same report."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict, replace
from importlib import resources
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from grader.errors import UsageError
from grader.records import AnswerFile, Report
from grader.reports import from_json, to_json
from grader.reports.json_report import SCHEMA


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema that the package ships."""
    text = (resources.files("grader.reports") / "report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _without_evidence(report: Report) -> Report:
    """NaN is never equal to itself, so equality is asked of the rest."""
    questions = tuple(
        replace(question, checks=tuple(replace(check, evidence=None) for check in question.checks))
        for question in report.questions
    )
    return replace(report, questions=questions)


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(found for child in node.values() for found in _objects(child))]
    return [found for child in node for found in _objects(child)] if isinstance(node, list) else []


def test_the_schema_is_a_schema(schema: dict[str, Any]) -> None:
    """The shipped schema itself is valid JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_field_is_described(schema: dict[str, Any]) -> None:
    """Each property in the schema says what it means, or points to a definition that does."""
    for node in _objects(schema):
        for name, field in node.get("properties", {}).items():
            assert "description" in field or "$ref" in field, name


def test_a_report_follows_the_schema(report: Report, schema: dict[str, Any]) -> None:
    """What `to_json` writes is valid against the schema."""
    jsonschema.validate(json.loads(to_json(report)), schema)


def test_every_key_is_in_the_schema(report: Report, schema: dict[str, Any]) -> None:
    """The schema knows every key that is written: closed at each level, it still accepts."""
    schema = deepcopy(schema)
    for node in _objects(schema):
        if node.get("type") == "object" and "properties" in node:
            node["additionalProperties"] = False
    jsonschema.validate(json.loads(to_json(report)), schema)


def test_the_contract_keys(report: Report) -> None:
    """The keys of the contract are there under their names, the schema's first."""
    fields = json.loads(to_json(report))
    contract = {
        "schema", "assignment", "submission", "score", "max_score", "pending", "isolation",
        "environment", "seconds", "questions", "execution",
    }  # fmt: skip
    check = fields["questions"][1]["checks"][1]
    assert next(iter(fields)) == "schema"
    assert fields["schema"] == SCHEMA
    assert contract <= fields.keys()
    assert check["status"] == "failed"
    assert check["diagnosis"] == {
        "code": "wrong_sign",
        "text": "The gradient has the opposite sign.",
        "confidence": 0.98,
    }


def test_it_comes_back_equal(report: Report) -> None:
    """A report that was written and read is the same report."""
    plain = _without_evidence(report)
    assert from_json(to_json(plain)) == plain
    assert to_json(from_json(to_json(report))) == to_json(report)


def test_answers_in_files(report: Report, schema: dict[str, Any]) -> None:
    """A part of a file comes with its path and line, and back."""
    part = AnswerFile("net/loss.py", 8, "def forward(self, x):\n    return x")
    questions = (replace(report.questions[0], files=(part,)), *report.questions[1:])
    shown = _without_evidence(replace(report, questions=questions))
    fields = json.loads(to_json(shown))
    jsonschema.validate(fields, schema)
    assert fields["questions"][0]["files"] == [asdict(part)]
    assert from_json(to_json(shown)) == shown


def test_numbers_that_are_not_finite_are_strings(report: Report) -> None:
    """NaN and infinities are strings, since strict JSON has no such numbers, and come back."""
    text = to_json(report)
    worst = json.loads(text)["questions"][1]["checks"][1]["evidence"]["worst"]
    assert [worst[0]["analytic"], worst[2]["analytic"], worst[2]["numeric"]] == [
        "NaN", "Infinity", "-Infinity",
    ]  # fmt: skip
    evidence = from_json(text).questions[1].checks[1].evidence
    assert evidence is not None
    assert evidence.worst[2].numeric == float("-inf")


def test_unknown_keys_are_ignored(report: Report) -> None:
    """A later minor version may add keys without breaking a reader."""
    fields = json.loads(to_json(report)) | {"later": 1}
    assert from_json(json.dumps(fields)).assignment == report.assignment


def test_a_title_may_be_missing(report: Report) -> None:
    """A report with the contract's keys alone is read, its title the assignment's name."""
    fields = json.loads(to_json(report))
    del fields["title"]
    assert from_json(json.dumps(fields)).title == report.assignment


def test_a_lone_surrogate_survives(report: Report) -> None:
    """Text that UTF-8 cannot carry is written and comes back."""
    odd = replace(_without_evidence(report), title="a\ud800b")
    text = to_json(odd)
    assert text.encode("utf-8")
    assert from_json(text) == odd


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '"x"', '{"schema": NaN}', "[" * 100_000, "9" * 5000],
    ids=lambda text: text[:8],
)
def test_a_broken_file_is_a_usage_error(text: str) -> None:
    """What is no report at all is named as such."""
    with pytest.raises(UsageError, match=r"report"):
        from_json(text)


def test_another_schema_is_named() -> None:
    """A report of another version is refused with the version that was found."""
    with pytest.raises(UsageError, match=r"nn-grader/report/v9"):
        from_json('{"schema": "nn-grader/report/v9"}')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", "lots"),
        ("score", True),
        ("score", None),
        ("assignment", None),
        ("notes", "text"),
        ("questions", [{"id": "1"}]),
        ("questions", {}),
        ("environment", [1]),
        ("execution", [{"cell": 1.5, "status": "ok", "seconds": 0}]),
        ("execution", [{"cell": 1, "status": "odd", "seconds": 0}]),
    ],
)
def test_a_wrong_type_is_a_usage_error(report: Report, key: str, value: object) -> None:
    """A field of the wrong type is refused and named, not turned into text."""
    fields = json.loads(to_json(report)) | {key: value}
    with pytest.raises(UsageError, match=key):
        from_json(json.dumps(fields))
