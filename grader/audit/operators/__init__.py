"""The operators of generic mutants: mistakes of neural-net code, as edits of a syntax tree."""

from grader.audit.operators.arithmetic import (
    drop_bias,
    drop_decay,
    drop_factor,
    drop_term,
    factor,
    power,
    sign,
)
from grader.audit.operators.arrays import axis, dtype, extremum, in_place, mean_sum, transpose
from grader.audit.operators.scope import Operator, Scope
from grader.audit.operators.statements import (
    comparison,
    constant_stub,
    no_op,
    off_by_one,
    stale,
    swapped,
    zero_stub,
)

OPERATORS: dict[str, Operator] = {
    "sign": sign,
    "factor": factor,
    "drop_factor": drop_factor,
    "power": power,
    "drop_term": drop_term,
    "drop_bias": drop_bias,
    "drop_decay": drop_decay,
    "axis": axis,
    "transpose": transpose,
    "mean_sum": mean_sum,
    "extremum": extremum,
    "dtype": dtype,
    "in_place": in_place,
    "comparison": comparison,
    "off_by_one": off_by_one,
    "stale": stale,
    "swapped": swapped,
    "no_op": no_op,
    "zero_stub": zero_stub,
    "constant_stub": constant_stub,
}

__all__ = ["OPERATORS", "Operator", "Scope"]
