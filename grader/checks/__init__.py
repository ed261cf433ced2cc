"""What the author of an assignment's checks imports."""

from grader.checks.closeness import (
    ValueMismatch,
    assert_close,
    assert_number,
    assert_shape,
    assert_tuple,
    assert_unchanged,
)
from grader.checks.consistency import agrees, assert_right_or_consistent
from grader.checks.diagnosis.naming import DiagnosisContext, diagnose
from grader.checks.gradients.checking import check_derivative, check_gradient, numeric_gradient
from grader.checks.gradients.results import (
    GradientCheckFailed,
    GradientInconclusive,
    GradientResult,
)
from grader.checks.loading import load_module

__all__ = [
    "DiagnosisContext",
    "GradientCheckFailed",
    "GradientInconclusive",
    "GradientResult",
    "ValueMismatch",
    "agrees",
    "assert_close",
    "assert_number",
    "assert_right_or_consistent",
    "assert_shape",
    "assert_tuple",
    "assert_unchanged",
    "check_derivative",
    "check_gradient",
    "diagnose",
    "load_module",
    "numeric_gradient",
]
