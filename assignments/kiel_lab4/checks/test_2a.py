"""2a: one step of backpropagation for a 2-4-1 network and two samples."""

import numpy as np
import pytest
from kiel_lab4_net import B2, SHAPES, TABLES, W2, Forward, forward, gradients, masks, mistakes, step

from grader.checks import assert_close, assert_shape, assert_tuple

ETA = 0.5
OTHER_ETAS = (0.1, 2.0)
TOLERANCE = {"relative_tolerance": 1e-9, "absolute_tolerance": 1e-12}
# Who leaves out the ½ makes one small mistake, which all four tables show.
CREDIT = {"sum_without_half": 0.75}


def finite(value, shape, name):
    array = assert_shape(value, shape, name=name)
    assert np.isfinite(array).all(), f"{name} holds NaN or infinity"
    return array


def hidden(value, name):
    """A table of the hidden layer: a row for each sample, or a column."""
    array = np.asarray(value, dtype=np.float64) if is_table(value) else None
    if array is not None and array.shape == (4, 2):
        value = array.T
    return finite(value, (2, 4), name)


def is_table(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"


def output(value, name="y_hat"):
    """One number for each sample, in a row, a column or a list."""
    if is_table(value) and value.size == 2:
        value = value.reshape(2)
    elif isinstance(value, list | tuple) and len(value) == 2:
        value = [item[0] if isinstance(item, list) and len(item) == 1 else item for item in value]
    return finite(value, (2,), name)


def agrees(actual, expected):
    try:
        assert_close(actual, expected, **TOLERANCE)
    except AssertionError:
        return False
    return True


def assert_one_of(actual, candidates, name, known=None):
    """One of the candidates is right; the message speaks of the last."""
    if not any(agrees(actual, candidate) for candidate in candidates[:-1]):
        assert_close(actual, candidates[-1], name=name, known=known, **TOLERANCE)


@pytest.mark.question("2a", points=1)
def test_z1(student):
    """z1 holds what goes into the hidden neurons, a row for each sample."""
    assert_close(hidden(student.z1, "z1"), forward().z1, name="z1", **TOLERANCE)


@pytest.mark.question("2a", points=0.75)
def test_a1(student):
    """a1 is the ReLU of z1, or of your own z1."""
    right = forward().a1
    mine = hidden(student.a1, "a1")
    if not agrees(mine, right) and "z1" in student:
        right = np.maximum(hidden(student.z1, "z1"), 0.0)
    assert_close(mine, right, name="a1", known=of_a1(), **TOLERANCE)


def of_a1():
    return {"relu_left_out": ("a1 is z1: the ReLU is left out.", forward().z1)}


@pytest.mark.question("2a", points=0.75)
def test_y_hat(student):
    """y_hat holds the outputs of the network, or those for your own a1."""
    right = forward().y_hat
    mine = output(student.y_hat)
    if not agrees(mine, right) and "a1" in student:
        right = hidden(student.a1, "a1") @ W2[0] + B2
    bias = {"output_bias_left_out": ("The bias of the output is left out.", right - B2)}
    assert_close(mine, right, name="y_hat", known=bias, **TOLERANCE)


def own_forward(student):
    """The student's own tables; None where they are right, cannot be used, or make no step.

    Tables that make no step are no work: weights that stay as they are would fit them.
    """
    try:
        tables = Forward(hidden(student.z1, "z1"), hidden(student.a1, "a1"), output(student.y_hat))
    except AssertionError:
        return None
    right = forward()
    if all(agrees(getattr(tables, name), getattr(right, name)) for name in ("z1", "a1", "y_hat")):
        return None
    moves = gradients(tables, tables.z1 > 0)
    return tables if all(np.any(move) for move in moves.values()) else None


def steps(student, eta):
    """The right steps, the best one last, and the tables that it belongs to."""
    right, own = forward(), own_forward(student)
    found = [step(gradients(right, right.z1 > 0), eta)]
    if own is not None:
        found += [step(gradients(own, mask), eta) for mask in reversed(masks(own))]
    return found, own or right


def update(student, eta):
    """What updated(eta) returns, by table and in one form."""
    returned = assert_tuple(student.function("updated")(eta), 4, name="what updated returns")
    parts = dict(zip(TABLES, returned, strict=True))
    return {name: shaped(part, SHAPES[name], name) for name, part in parts.items()}


def shaped(value, shape, name):
    """A table as an array of its shape; vectors may be rows or columns."""
    size = int(np.prod(shape))
    if is_table(value) and value.size == size and name != "W1":
        value = value.reshape(shape)
    elif isinstance(value, list) and name == "W2" and len(value) == size:
        value = [value]
    return finite(value, shape, f"the new {name}")


def check_table(student, table):
    found, tables = steps(student, ETA)
    mine = update(student, ETA)
    known = {code: wrong[table] for code, wrong in made(mine, tables).items()}
    assert_one_of(mine[table], [each[table] for each in found], f"the new {table}", known)


def made(mine, tables):
    """The mistakes that all four tables agree with: one alone may fit several by chance."""
    return {
        code: wrong
        for code, wrong in mistakes(tables, ETA).items()
        if all(agrees(mine[name], wrong[name][1]) for name in TABLES)
    }


@pytest.mark.question("2a", points=1, credit=CREDIT)
def test_new_w1(student):
    """updated(eta) returns the weights W1 after the step that your forward tables lead to."""
    check_table(student, "W1")


@pytest.mark.question("2a", points=0.5, credit=CREDIT)
def test_new_b1(student):
    """updated(eta) returns the biases b1 after the step that your forward tables lead to."""
    check_table(student, "b1")


@pytest.mark.question("2a", points=0.75, credit=CREDIT)
def test_new_w2(student):
    """updated(eta) returns the weights W2 after the step that your forward tables lead to."""
    check_table(student, "W2")


@pytest.mark.question("2a", points=0.5, credit=CREDIT)
def test_new_b2(student):
    """updated(eta) returns the bias b2 after the step that your forward tables lead to."""
    check_table(student, "b2")


@pytest.mark.question("2a", points=0.75)
def test_learning_rate(student):
    """The way that weights and biases go is in proportion to eta, at each call anew."""
    first = update(student, ETA)
    still = update(student, 0.0)
    for eta in (*OTHER_ETAS, ETA):
        again = update(student, eta)
        for table in TABLES:
            expected = still[table] + eta / ETA * (first[table] - still[table])
            assert_close(
                again[table], expected, name=f"the new {table} at eta = {eta}", **TOLERANCE
            )
    moved = any(not agrees(first[table], still[table]) for table in TABLES)
    assert moved, "updated(eta) returns the same for each eta"
