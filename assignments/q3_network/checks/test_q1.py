"""Q1.1: the output of a small network, computed by hand."""

import re
import unicodedata

import numpy as np
import pytest
from q3_network_training import sigmoid

from grader.checks import assert_close, assert_number

NAME = "network_output"
DECIMALS = 2
# The numbers of the question.
W1, W2 = np.array([[0.4, 0.6, 0.2], [0.3, 0.9, 0.5]]), np.array([0.2, 0.2, 0.8])
B1, B2 = 1.0, 0.5
X = np.ones(2)

NUMBER = r"[-+]?\d+(?:\.\d+)?"
# A result in a text: what follows an equals sign, perhaps in a box or in bold.
RESULT = re.compile(
    rf"(?:=|≈|≃|\\approx|\\simeq|\\doteq|\bis)[\s$*`{{(]*(?:\\(?:boxed|mathbf|bf)\b[\s{{]*)?({NUMBER})"
)


def output(first=sigmoid, second=sigmoid, b1=B1, b2=B2):
    """The output, perhaps with other activations or biases."""
    return float(np.round(second(first(X @ W1 + b1) @ W2 + b2), DECIMALS))


def linear(x):
    return x


KNOWN = {
    "output_activation_missing": (
        "This is what goes into the last activation: what comes out of it?",
        output(second=linear),
    ),
    "hidden_activation_missing": (
        "This is the output of a network whose hidden layer has no activation.",
        output(first=linear),
    ),
    "activations_missing": (
        "This is the output of a network without activations.",
        output(first=linear, second=linear),
    ),
    "hidden_bias_missing": ("The biases of the hidden layer are missing.", output(b1=0.0)),
    "output_bias_missing": ("The bias of the output is missing.", output(b2=0.0)),
    "biases_missing": ("The biases of both layers are missing.", output(b1=0.0, b2=0.0)),
}


def plain_digits(text):
    """Persian and other digits, and their decimal points, as Python writes them."""
    text = text.replace("\N{ARABIC DECIMAL SEPARATOR}", ".")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def result_in(text):
    """The result that a text ends with; None where one cannot be told without doubt."""
    text = plain_digits(text)
    numbers = list(re.finditer(NUMBER, text))
    results = list(RESULT.finditer(text))
    if not results or results[-1].end(1) != numbers[-1].end():
        return None
    found = [float(match[1]) for match in results]
    right_before = any(is_right(value) for value in found[:-1])
    return None if right_before and not is_right(found[-1]) else found[-1]


def is_right(value):
    return round(value, DECIMALS) == output()


@pytest.mark.question("Q1.1", points=1)
def test_output(student):
    """The network's output, rounded to two decimals, is right."""
    if NAME in student:
        value = assert_number(student[NAME], name=NAME)
    else:
        assert re.search(r"\d", plain_digits(student.markdown)), f"`{NAME}` is not defined"
        value = result_in(student.markdown)
        if value is None:
            pytest.skip(f"`{NAME}` is not defined, and the text does not end with one result")
    assert_close(round(value, DECIMALS), output(), name="the output", known=KNOWN)
