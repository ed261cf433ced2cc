"""The checks of the modular assignment."""

import pytest

from grader.checks import assert_close


@pytest.mark.question("a")
def test_double(student):
    """double(x) is twice x."""
    assert_close(student.module("net.layers").double(3.0), 6.0, name="double(3)")


@pytest.mark.question("b")
def test_half(student):
    """half(x) is half of x."""
    assert_close(student.module("net.layers").half(3.0), 1.5, name="half(3)")


@pytest.mark.question("c", needs=["a"])
def test_loss(student):
    """Loss.forward(x) doubles x and adds the offset."""
    assert_close(student.module("net.loss").Loss(1.0).forward(3.0), 7.0, name="Loss(1).forward(3)")


@pytest.mark.question("e")
def test_total(student):
    """total is 3."""
    assert_close(student.total, 3.0, name="total")
