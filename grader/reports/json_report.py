"""A report as JSON, and back; `report.schema.json` documents the format field by field."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, get_args, get_origin

from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError

from grader.errors import UsageError
from grader.records import QuestionReport, Report

SCHEMA = "nn-grader/report/v1"

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(report: Report) -> str:
    """Return the report as strict JSON; numbers that are not finite become strings."""
    fields = _converter().unstructure(report)
    ordered = {"schema": fields.pop("schema"), **fields}
    return json.dumps(ordered, indent=1, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """Return the report that `to_json` wrote.

    Raises:
        UsageError: The text is not JSON, of another schema, or breaks the schema.

    """
    try:
        fields = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        message = f"This report is not valid JSON, perhaps cut off: {error}"
        raise UsageError(message) from error
    _require_schema(fields)
    try:
        return _converter().structure({"title": fields.get("assignment"), **fields}, Report)
    except BaseValidationError as error:
        problems = "; ".join(transform_error(error, path="report")[:3])
        message = f"This report does not follow {SCHEMA}: {problems}"
        raise UsageError(message) from error


def question_from_json(text: str) -> QuestionReport:
    """Return one of the questions of a report that `to_json` wrote."""
    return _converter().structure(json.loads(text), QuestionReport)


def _no_constant(name: str) -> NoReturn:
    message = f"{name} outside a string"
    raise ValueError(message)


def _require_schema(fields: object) -> None:
    schema = fields.get("schema") if isinstance(fields, dict) else None
    if schema != SCHEMA:
        found = f"its schema is {schema!r}" if schema else "it names no schema"
        message = f"This is not a report of {SCHEMA}: {found}. Grade the submission again."
        raise UsageError(message)


@cache
def _converter() -> Converter:
    """Return a converter that checks types: cattrs alone would turn `null` into "None"."""
    converter = Converter()
    converter.register_unstructure_hook(float, _plain_float)
    converter.register_structure_hook(float, _float)
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, _exactly)
    # An enum of strings is a string too, and would take the hook of those.
    converter.register_structure_hook(StrEnum, lambda value, kind: kind(value))
    converter.register_structure_hook_func(
        _is_tuple,
        lambda value, kind: _tuple(converter, value, kind),
    )
    return converter


def _is_tuple(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple


def _plain_float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"


def _float(value: object, _: type) -> float:
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"expected a number, found {_described(value)}"
        raise ValueError(message)
    return float(value)


def _exactly(value: object, kind: type) -> object:
    if type(value) is not kind:
        message = f"expected {kind.__name__}, found {_described(value)}"
        raise ValueError(message)
    return value


def _tuple(converter: Converter, value: object, kind: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        message = f"expected a list, found {_described(value)}"
        raise ValueError(message)
    kinds = get_args(kind)
    expected = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    if len(value) != len(expected):
        message = f"expected {len(expected)} elements, found {len(value)}"
        raise ValueError(message)
    return tuple(map(converter.structure, value, expected))


def _described(value: object) -> str:
    return repr(value)[:60]
