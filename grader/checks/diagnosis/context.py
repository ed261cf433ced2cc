"""What a diagnosis may know about a gradient besides its values."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.diagnosis.known import Named, read_named, squeezed

Floats: TypeAlias = NDArray[np.float64]
Blocks: TypeAlias = ArrayLike | Mapping[str, ArrayLike]

UNKNOWN_ERROR = 2.5e-9
"""In rms of the numbers: the error of differences that came without an estimate."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DiagnosisContext:
    """What an author knows about the gradient under check; each piece names more bugs.

    `parameters` is what the gradient is taken for: an array, or a dict of
    blocks like the gradients themselves. `inputs` are the layer's inputs (or
    the loss's predictions), `upstream` the gradient of its outputs. `is_bias`
    says whether the parameter is a bias, for a dict: which blocks are.
    `variants` are wrong gradients by the code of their bug: arrays (dicts of
    arrays for a dict), or `(sentence, array)` where the code is not one of ours.
    """

    parameters: Blocks | None = None
    error_estimate: Blocks | None = None
    batch_size: int | None = None
    n_features: int | None = None
    n_hidden: int | None = None
    n_classes: int | None = None
    weight_decay: float | None = None
    learning_rate: float | None = None
    upstream: ArrayLike | None = None
    inputs: ArrayLike | None = None
    is_bias: bool | Collection[str] | None = None
    variants: Mapping[str, Named | Mapping[str, ArrayLike]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Variant:
    """A named wrong gradient of one block."""

    code: str
    text: str
    value: Floats


@dataclass(frozen=True, eq=False)
class Block:
    """One parameter's gradients, with what is known about them.

    `numeric` and `error` have the parameter's shape, `analytic` too where the
    two differ by axes of size 1 only. `is_bias` None: not known.
    """

    analytic: Floats
    numeric: Floats
    error: Floats
    parameters: Floats | None
    is_bias: bool | None
    variants: tuple[Variant, ...]
    context: DiagnosisContext

    @property
    def decays(self) -> bool:
        """Whether the right gradient contains the weight decay."""
        return bool(self.context.weight_decay) and not self.is_bias


def read_blocks(analytic: Blocks, numeric: Blocks, context: DiagnosisContext) -> list[Block]:
    """The gradients block by block; a single array is one block.

    Raises:
        ValueError: the two sides have different blocks, or the context does not fit them.
    """
    if not isinstance(numeric, Mapping):
        return [_read_block("", analytic, numeric, context)]
    if not isinstance(analytic, Mapping) or analytic.keys() != numeric.keys():
        raise ValueError("the analytic gradient has other blocks than the numeric one")
    return [_read_block(name, analytic[name], numeric[name], context) for name in numeric]


def _read_block(name: str, analytic: Blocks, numeric: Blocks, context: DiagnosisContext) -> Block:
    right = _array(numeric)
    given = _array(analytic)
    error = _part(context.error_estimate, name)
    parameters = _part(context.parameters, name)
    if error is None:
        error = np.full(right.shape, UNKNOWN_ERROR * rms(right))
    for known, word in ((error, "error estimate"), (parameters, "parameters")):
        if known is not None and known.size != right.size:
            raise ValueError(f"the {word} {name} must have the shape of the gradient")
    return Block(
        analytic=given.reshape(right.shape) if same_up_to_ones(given, right) else given,
        numeric=right,
        error=error.reshape(right.shape),
        parameters=None if parameters is None else parameters.reshape(right.shape),
        is_bias=_is_bias(context.is_bias, name),
        variants=tuple(_variants(context, name)),
        context=context,
    )


def _array(value: object) -> Floats:
    return np.asarray(value, dtype=np.float64)


def _part(blocks: Blocks | None, name: str) -> Floats | None:
    if blocks is None:
        return None
    if isinstance(blocks, Mapping):
        return _array(blocks[name]) if name in blocks else None
    return _array(blocks) if not name else None


def _is_bias(is_bias: bool | Collection[str] | None, name: str) -> bool | None:
    if is_bias is None or isinstance(is_bias, bool):
        return is_bias
    return name in is_bias


def _variants(context: DiagnosisContext, name: str) -> list[Variant]:
    found = []
    for code, named in context.variants.items():
        if isinstance(named, Mapping):
            if name in named:
                found.append(Variant(code, *read_named(code, named[name])))
        elif not name:
            found.append(Variant(code, *read_named(code, named)))
    return found


def same_up_to_ones(first: Floats, second: Floats) -> bool:
    """Whether two shapes differ by axes of size 1 only."""
    return squeezed(first.shape) == squeezed(second.shape)


def rms(array: Floats) -> float:
    """The root mean square."""
    return float(np.linalg.norm(array)) / math.sqrt(max(1, array.size))
