"""2.report: the loss that the student reports, computed again with the data that they had."""

import re
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from aalto_ex09_shared import BLOCKS, Case, gradient

from grader.checks import ValueMismatch, assert_close, assert_number, assert_shape, load_module
from grader.errors import StudentFault
from reference.hinton import hinton_classification_loss, hinton_initial_model
from reference.training import a2

DATA = load_module(Path(__file__).parents[1] / "data.py")
N_HID, N_ITERATIONS, RATE, BATCH_SIZE = 10, 30, 0.01, 10
LEAST_DECIMALS = 4
LARGEST_FILE = 64 << 20
N_IN, N_CLASS, LEAST_CASES = 256, 10, 100
# What the notebook prints with the course's own data: after 30 iterations, and after 3.
PRINTED_BY_COURSE = 2.301906765216956
PRINTED_AFTER_3 = "2.3025673934869757"

NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:[eE][+-]?\d+)?")
REPORTED = re.compile(r"classification\s+loss", re.IGNORECASE)
NEXT_EXERCISE = re.compile(
    r"^\s*#+.*\b(?:exercise|part|question)\s*3\b", re.IGNORECASE | re.MULTILINE
)
CODE = re.compile(r"`[^`]*`")
READ_DATA = """
def _read_training_data(content):
    import io
    import scipy.io
    data = scipy.io.loadmat(io.BytesIO(content.tobytes()), simplify_cells=True)["data"]
    part = data["training"]
    return {"inputs": part["inputs"].astype(float), "target": part["targets"].astype(float)}
"""
OTHER_DATA = "That is the loss on other data: which loss is asked for?"
TOO_EARLY = "That is the loss before the last iteration."
WITH_MOMENTUM = "That is the loss with momentum: which settings are asked for?"


# --- what is reported -------------------------------------------------------


def reported(student):
    """The number as a text: of the variable, or else of what the notebook says in words."""
    if "reported_loss" in student:
        value = student.reported_loss
        if isinstance(value, str):
            found = NUMBER.findall(value)
            assert len(found) == 1, f"reported_loss is the text {value[:60]!r}, not a number"
            return found[0]
        return repr(assert_number(value, name="reported_loss"))
    found = set(numbers_in_words(student.hand_in.markdown))
    assert found, "`reported_loss` is not defined, and no text of the notebook reports the loss"
    assert len(found) == 1, (
        "`reported_loss` is not defined, and the texts of the notebook name several losses: "
        + ", ".join(sorted(found))
    )
    return found.pop()


def numbers_in_words(texts):
    """The numbers in lines about a classification loss, as far as the next exercise."""
    for text in texts:
        if NEXT_EXERCISE.search(text):
            return
        for line in CODE.sub("", text).splitlines():
            if REPORTED.search(line):
                yield from (n for n in NUMBER.findall(line) if decimals(n) >= LEAST_DECIMALS)


def decimals(number):
    """How many digits a number has behind the point."""
    mantissa, _, exponent = number.lower().partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


def is_reported(number, loss):
    """Whether a number is this loss, rounded or cut off at its last digit."""
    return abs(float(number) - loss) <= 1.001 * 10.0 ** -min(decimals(number), 9)


# --- what it should be ------------------------------------------------------


@cache
def released(momentum=0.0):
    """Training with the data of the release."""
    return a2(0.0, N_HID, N_ITERATIONS, RATE, momentum, False, BATCH_SIZE, DATA.read())


def known_wrong():
    """Losses that a2 prints beside the one that is asked for."""
    plain, with_momentum = released(), released(momentum=0.9)
    return {
        "validation_loss": (OTHER_DATA, plain.classification_loss["val"]),
        "test_loss": (OTHER_DATA, plain.classification_loss["test"]),
        "too_early": (TOO_EARLY, plain.training_losses[-N_ITERATIONS // 10 - 1]),
        "with_momentum": (WITH_MOMENTUM, with_momentum.classification_loss["train"]),
    }


def was_made_with_course_data(student):
    """Whether the outputs that came with the notebook were printed with the course's own data."""
    printed = "\n".join(student.hand_in.outputs)
    return str(PRINTED_BY_COURSE) in printed and PRINTED_AFTER_3 in printed


def own_data(student):
    """The training data of a data.mat that was handed in; read in the student's process."""
    for path, content in student.hand_in.files.items():
        if PurePosixPath(path).name.lower() == "data.mat" and len(content) <= LARGEST_FILE:
            if content == DATA.FILE.read_bytes():
                continue
            student.execute(READ_DATA)
            try:
                part = student._read_training_data(np.frombuffer(content, np.uint8))
                yield usable(part)
            except (StudentFault, ValueMismatch, AssertionError, KeyError, TypeError):
                continue


def usable(part):
    """The data, where they are images with one class each: a file may hold anything."""
    target = assert_shape(part["target"], np.shape(part["target"]))
    assert target.ndim == 2
    assert target.shape[0] == N_CLASS
    assert target.shape[1] >= LEAST_CASES
    assert np.isin(target, (0.0, 1.0)).all()
    assert (target.sum(axis=0) == 1).all()
    assert target.any(axis=1).all()
    inputs = assert_shape(part["inputs"], (N_IN, target.shape[1]))
    assert np.isfinite(inputs).all()
    assert inputs.std() > 0
    return {"inputs": inputs, "target": target}


def loss_on(training):
    """The figure for these training cases."""
    data = {"train": training, "val": training}
    found = a2(0.0, N_HID, N_ITERATIONS, RATE, 0.0, False, BATCH_SIZE, data)
    return found.classification_loss["train"]


def losses_by_own_gradient(student, parts):
    """The figures that the student's own gradient leads to, where it trains at all."""
    start = hinton_initial_model(N_HID)
    for part in parts:
        model = start
        for i in range(N_ITERATIONS):
            first = i * BATCH_SIZE % part["inputs"].shape[1]
            batch = {name: a[:, first : first + BATCH_SIZE] for name, a in part.items()}
            found = gradient(student, Case(model, batch))
            model = {b: model[b] - RATE * assert_shape(found[b], model[b].shape) for b in BLOCKS}
        loss = hinton_classification_loss(model, part)
        if abs(loss - hinton_classification_loss(start, part)) > 10.0**-LEAST_DECIMALS:
            yield loss


def is_right(student, number):
    """Whether the number is the figure for data that the student may have had."""
    if is_reported(number, released().classification_loss["train"]):
        return True
    if was_made_with_course_data(student) and is_reported(number, PRINTED_BY_COURSE):
        return True
    others = list(own_data(student))
    if any(is_reported(number, loss_on(part)) for part in others):
        return True
    try:
        own = list(losses_by_own_gradient(student, [DATA.read()["train"], *others]))
    except (AssertionError, StudentFault, FloatingPointError):
        return False
    return any(is_reported(number, loss) for loss in own)


@pytest.mark.question("2.report", points=1)
def test_reported_loss(student):
    """You report the training classification loss that a2(0, 10, 30, 0.01, 0, False, 10) prints."""
    number = reported(student)
    assert decimals(number) >= LEAST_DECIMALS, (
        f"you report {number}: give the loss with all digits that a2 prints"
    )
    if is_right(student, number):
        return
    wrong = ValueMismatch(
        f"you report {number}, which is not what a2(0, 10, 30, 0.01, 0, False, 10) gives as the "
        "classification loss on the training data"
    )
    try:
        expected = released().classification_loss["train"]
        assert_close(float(number), expected, known=known_wrong())
    except ValueMismatch as mismatch:
        wrong.diagnosis = mismatch.diagnosis
    raise wrong
