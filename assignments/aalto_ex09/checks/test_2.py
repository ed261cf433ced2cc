"""2: the gradient of the loss."""

import numpy as np
import pytest
from aalto_ex09_shared import (
    BLOCKS,
    CLOSE,
    WEIGHT_DECAY,
    Sizes,
    assert_gradient,
    assert_right_values,
    gradient,
    make_case,
    sizes_for,
    use_once,
)

from grader.checks import (
    DiagnosisContext,
    ValueMismatch,
    assert_close,
    assert_shape,
    assert_unchanged,
    check_gradient,
)

N_CASES = 11


@pytest.mark.question("2", points=0.7)
def test_hid_to_class(student):
    """Without weight decay, hid_to_class holds the derivative of the loss."""
    use_once(student)
    assert_gradient(student, "hid_to_class", make_case(21, sizes_for(student), N_CASES))


@pytest.mark.question("2", points=0.7)
def test_input_to_hid(student):
    """Without weight decay, input_to_hid holds the derivative of the loss."""
    use_once(student)
    assert_gradient(student, "input_to_hid", make_case(22, sizes_for(student), N_CASES))


@pytest.mark.question("2", points=0.8)
def test_weight_decay(student):
    """Weight decay changes both gradients by its own derivative."""
    case = make_case(23, sizes_for(student), N_CASES).decayed(WEIGHT_DECAY)
    # A mistake in the rest of the gradient is not charged here again.
    decayed, plain = gradient(student, case), gradient(student, case.decayed(0.0))
    for block in BLOCKS:
        weights = case.model[block]
        try:
            parts = [assert_shape(part[block], weights.shape) for part in (decayed, plain)]
            assert_close(parts[0] - parts[1], WEIGHT_DECAY * weights, **CLOSE)
        except ValueMismatch:
            # This one also names the mistake, and knows the student's own `loss`.
            assert_gradient(student, block, case)


@pytest.mark.question("2", points=0.2)
def test_missing_class(student):
    """The gradient is right for a batch in which one of the classes does not occur."""
    sizes = sizes_for(student)
    for absent in (0, sizes.n_class - 1):
        case = make_case(24, sizes, 17, absent=absent)
        assert_right_values(student, case, "where a class is missing")


@pytest.mark.question("2", points=0.2)
def test_arguments_unchanged(student):
    """d_loss_by_d_model leaves the model and the data as they were, and repeats its result."""
    case = make_case(25, sizes_for(student), N_CASES).decayed(WEIGHT_DECAY)
    first = gradient(student, case)
    call = student.function("d_loss_by_d_model").call(*case.arguments)
    assert_unchanged(call, case.arguments, name="d_loss_by_d_model")
    gradient(student, make_case(26, sizes_for(student), 3))
    again = gradient(student, case)
    for block in BLOCKS:
        expected = assert_shape(first[block], np.shape(first[block]), name=block)
        assert np.all(np.isfinite(expected)), f"the gradient for {block} holds NaN or infinity"
        assert np.any(expected), f"the gradient for {block} is 0 everywhere"
        assert_close(again[block], expected, name=f"{block} of a later call")


@pytest.mark.question("2", at_home=True)
@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("weight_decay", [0.0, WEIGHT_DECAY], ids=["plain", "decayed"])
def test_derivative_of_loss(student, block, weight_decay):
    """Each block of d_loss_by_d_model holds the derivatives of `loss`, with weight decay too."""
    case = make_case(29, sizes_for(student), N_CASES).decayed(weight_decay)
    loss = student.function("loss").as_function(
        arguments=lambda point: case.at(block, point).arguments
    )
    check_gradient(
        loss,
        lambda point: gradient(student, case.at(block, point))[block],
        at=case.model[block],
        name=f"the gradient for {block}",
        context=DiagnosisContext(
            parameters=case.model[block],
            weight_decay=weight_decay,
            is_bias=False,
            batch_size=N_CASES,
        ),
    )


@pytest.mark.question("2", points=0.2, hidden=True)
@pytest.mark.parametrize("n_cases", [1, 3, 29])
def test_batch_sizes(student, n_cases):
    """The gradient is right for batches of any size."""
    case = make_case(27 + n_cases, sizes_for(student), n_cases)
    assert_right_values(student, case, f"for a batch of {n_cases}")


@pytest.mark.question("2", points=0.2, hidden=True)
@pytest.mark.parametrize("sizes", [Sizes(17, 2, 3), Sizes(5, 11, 19)], ids=["small", "wide"])
def test_sizes(student, sizes):
    """The gradient is right for networks of any size."""
    assert_right_values(student, make_case(28, sizes, 23), "for a network of another size")
