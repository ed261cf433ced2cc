"""Networks and batches to try a gradient on, and what the gradients have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.checks import (
    DiagnosisContext,
    GradientCheckFailed,
    GradientInconclusive,
    ValueMismatch,
    assert_close,
    assert_number,
    assert_shape,
    check_gradient,
)
from grader.errors import StudentFault
from grader.records import CheckStatus
from reference.hinton import (
    hinton_classification_loss,
    hinton_forward,
    hinton_gradient,
    hinton_loss,
)

BLOCKS = ("hid_to_class", "input_to_hid")
WEIGHT_DECAY = 0.37
CLOSE = {"relative_tolerance": 1e-7, "absolute_tolerance": 1e-9}
FITS = 1e-9
"""Of a loss: how exactly it must be made of the cross-entropy and the weight decay."""

LOG_PROBABILITIES = (
    "Your gradient uses the logarithms of the probabilities where the probabilities belong."
)
HIDDEN_INPUT = (
    "Your gradient multiplies with what goes into the hidden units: what do the weights of the "
    "classes see of them?"
)
HALF_SLOPE = (
    "One of the two factors in the slope of the logistic function is missing: derive it once more."
)
SLOPE_TWICE = "The slope of the logistic function stands in your gradient twice."
SLOPE_FOR_OUTPUT = (
    "Your gradient multiplies with the slope of the hidden units: what do the weights of the "
    "classes see of them?"
)


@dataclass(frozen=True)
class Sizes:
    """The numbers of inputs, hidden units and classes."""

    n_in: int
    n_hid: int
    n_class: int


PRIMES = Sizes(13, 7, 5)
COURSE = Sizes(256, 3, 10)


@dataclass(frozen=True)
class Case:
    """A model, a batch and the strength of the weight decay."""

    model: dict[str, np.ndarray]
    data: dict[str, np.ndarray]
    weight_decay: float = 0.0

    @property
    def n_cases(self) -> int:
        return self.data["inputs"].shape[1]

    def at(self, block: str, point: np.ndarray) -> "Case":
        """The same with other weights in one block."""
        return Case({**self.model, block: point}, self.data, self.weight_decay)

    def decayed(self, weight_decay: float) -> "Case":
        return Case(self.model, self.data, weight_decay)

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.model, self.data, self.weight_decay


def make_case(seed: int, sizes: Sizes, n_cases: int, *, absent: int | None = None) -> Case:
    """Random weights and inputs; `absent` is a class that none of the cases has."""
    rng = np.random.default_rng(seed)
    model = {
        "input_to_hid": rng.normal(scale=0.4, size=(sizes.n_hid, sizes.n_in)),
        "hid_to_class": rng.normal(scale=0.8, size=(sizes.n_class, sizes.n_hid)),
    }
    classes = [k for k in range(sizes.n_class) if k != absent]
    # Each class once, as far as the cases go, so that only `absent` decides what is missing.
    labels = np.resize(rng.permutation(classes), n_cases)
    target = np.eye(sizes.n_class)[:, labels]
    return Case(model, {"inputs": rng.normal(size=(sizes.n_in, n_cases)), "target": target})


def right_gradient(case: Case) -> dict[str, np.ndarray]:
    """What d_loss_by_d_model should return."""
    return hinton_gradient(*case.arguments)


# --- the student's gradient -------------------------------------------------


def gradient(student: Any, case: Case) -> dict[str, Any]:
    """What d_loss_by_d_model returns: a dictionary with both blocks."""
    answer = student.function("d_loss_by_d_model")(*case.arguments)
    assert answer is not None, "d_loss_by_d_model returns None: does it end with a return?"
    kind = getattr(answer, "type_name", type(answer).__name__)
    assert isinstance(answer, dict), f"d_loss_by_d_model returns a {kind}, not a dictionary"
    for block in BLOCKS:
        assert block in answer, f"the dictionary of d_loss_by_d_model has no {block!r}"
    return answer


def use_once(student: Any) -> None:
    """A call with other data, so that what a gradient keeps of it shows in the next one."""
    gradient(student, make_case(3, sizes_for(student), 19))


def sizes_for(student: Any) -> Sizes:
    """Sizes that tell mistakes apart, or the course's own where the code knows no others.

    Numbers written into the code are a mistake of their own, with a check of its own.
    """
    return COURSE if not _works(student, PRIMES) and _works(student, COURSE) else PRIMES


def _works(student: Any, sizes: Sizes) -> bool:
    case = make_case(1, sizes, 11)
    try:
        found = gradient(student, case)
        for block in BLOCKS:
            assert_shape(found[block], case.model[block].shape)
    except (AssertionError, StudentFault):
        return False
    return True


# --- judging it -------------------------------------------------------------


def assert_gradient(student: Any, block: str, case: Case) -> None:
    """One block is the derivative of the loss, or else of the student's own `loss`."""
    students = _block_of_gradient(student, block, case)
    try:
        check_gradient(
            lambda point: hinton_loss(*case.at(block, point).arguments),
            students,
            at=case.model[block],
            name=f"the gradient for {block}",
            context=context(block, case),
        )
    except GradientInconclusive:
        name = f"the gradient for {block}"
        assert_close(students(case.model[block]), right_gradient(case)[block], name=name, **CLOSE)
    except GradientCheckFailed:
        if not _fits_own_loss(student, block, case):
            raise


def assert_right_values(student: Any, case: Case, where: str) -> None:
    """Both blocks equal the reference's, or fit the student's own `loss`."""
    found = gradient(student, case)
    for block in BLOCKS:
        try:
            name = f"the gradient for {block} {where}"
            assert_close(found[block], right_gradient(case)[block], name=name, **CLOSE)
        except ValueMismatch:
            if not _fits_own_loss(student, block, case):
                raise


def _block_of_gradient(student: Any, block: str, case: Case) -> Callable[[np.ndarray], Any]:
    """One block of the student's gradient, as a function of that block's weights."""
    return lambda point: gradient(student, case.at(block, point))[block]


def _fits_own_loss(student: Any, block: str, case: Case) -> bool:
    """Whether a block is the derivative of the student's `loss`, where that is a form of ours."""
    if "loss" not in student:
        return False
    try:
        own = student.function("loss").as_function(
            arguments=lambda point: case.at(block, point).arguments
        )
        if not _is_scaled_loss(own, block, case):
            return False
        students = _block_of_gradient(student, block, case)
        found = check_gradient(own, students, at=case.model[block], raises=False)
    except (StudentFault, ValueMismatch):
        return False
    return found.status is CheckStatus.PASSED


def _is_scaled_loss(own: Any, block: str, case: Case) -> bool:
    """Whether `own` is a times the cross-entropy plus b times the weight decay, a > 0.

    `loss` is handed out: what it computes may be scaled, but not be something else. Where it is
    the loss that was handed out there is nothing more to learn from it.
    """
    rng = np.random.default_rng(2)
    shape = case.model[block].shape
    cases = [case.at(block, rng.normal(size=shape)) for _ in range(7)]
    values = np.array([assert_number(v) for v in own.map([c.model[block] for c in cases])])
    entropies = [hinton_classification_loss(c.model, c.data) for c in cases]
    penalties = [hinton_loss(*c.arguments) - e for c, e in zip(cases, entropies, strict=True)]
    design = np.stack([entropies, penalties], axis=1)
    found = np.linalg.lstsq(design, values, rcond=None)[0]
    tolerance = FITS * np.max(np.abs(values))
    is_ours = np.max(np.abs(design.sum(axis=1) - values)) <= tolerance
    misfit = np.max(np.abs(design @ found - values))
    return bool(not is_ours and found[0] > FITS and misfit <= tolerance)


# --- naming its mistakes ----------------------------------------------------


def context(block: str, case: Case) -> DiagnosisContext:
    """What a diagnosis may know of this block."""
    n_class, n_hid = case.model["hid_to_class"].shape
    return DiagnosisContext(
        parameters=case.model[block],
        weight_decay=case.weight_decay,
        is_bias=False,
        batch_size=case.n_cases,
        n_features=case.model["input_to_hid"].shape[1],
        n_hidden=n_hid,
        n_classes=n_class,
        variants=_wrong_gradients(block, case),
    )


def _wrong_gradients(block: str, case: Case) -> dict[str, Any]:
    """Gradients with a slip in them; the weight decay is right in each."""
    hid_input, hid_output, log_prob = hinton_forward(case.model, case.data["inputs"])
    scores = case.model["hid_to_class"] @ hid_output
    prob, target = np.exp(log_prob), case.data["target"]
    delta = prob - target
    softmaxes = np.exp(scores)
    slope = hid_output * (1 - hid_output)
    of_output = 1 / (1 + np.exp(-hid_output))

    def assembled(delta: np.ndarray, *, passed: np.ndarray = slope, seen: Any = None) -> np.ndarray:
        if block == "hid_to_class":
            raw = delta @ (hid_output if seen is None else seen).T
        else:
            back = case.model["hid_to_class"].T @ delta
            raw = back * passed @ case.data["inputs"].T
        return raw / case.n_cases + case.weight_decay * case.model[block]

    shared = {
        "labels_ignored": assembled(prob),
        "missing_activation": assembled(scores - target),
        "softmax_wrong_axis": assembled(softmaxes / softmaxes.sum(1, keepdims=True) - target),
        "softmax_whole_batch": assembled(softmaxes / softmaxes.sum() - target),
        "log_probabilities": (LOG_PROBABILITIES, assembled(log_prob - target)),
        "extra_derivative": assembled(delta * prob * (1 - prob)),
    }
    if block == "hid_to_class":
        return {
            **shared,
            "hidden_input": (HIDDEN_INPUT, assembled(delta, seen=hid_input)),
            "slope_for_output": (SLOPE_FOR_OUTPUT, assembled(delta, seen=slope)),
        }
    hidden_only = slope @ case.data["inputs"].T / case.n_cases
    return {
        **shared,
        "missing_derivative": assembled(delta, passed=np.ones_like(slope)),
        "derivative_at_activation": assembled(delta, passed=of_output * (1 - of_output)),
        "argument_as_output": assembled(delta, passed=hid_input * (1 - hid_input)),
        "activation_for_derivative": assembled(delta, passed=hid_output),
        "half_slope": (HALF_SLOPE, assembled(delta, passed=1 - hid_output)),
        "slope_twice": (SLOPE_TWICE, assembled(delta, passed=slope**2)),
        "upstream_ignored": hidden_only + case.weight_decay * case.model[block],
    }
