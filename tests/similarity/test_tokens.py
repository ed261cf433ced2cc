"""Tokens: what renaming, comments and layout change, and what they do not."""

from __future__ import annotations

import pytest

from grader.similarity.tokens import code_tokens, word_tokens


def tokens(source: str) -> list[str]:
    """What a piece of code is compared by."""
    return [token.text for token in code_tokens(source)]


ORIGINAL = "def loss(y, y_hat):\n    return -np.mean(y * np.log(y_hat))\n"


@pytest.mark.parametrize(
    "changed",
    [
        "def f(a, b):\n    return -np.mean(a * np.log(b))\n",
        "def loss(y, y_hat):\n    '''The\n\n    loss.'''\n    return -np.mean(y*np.log(y_hat))\n",
        "# mine\nimport numpy as n\n\ndef f(y, z):  # yes\n  return -n.mean(y * n.log(z))",
        "%matplotlib inline\n!pip install numpy\n" + ORIGINAL,
    ],
)
def test_what_changes_nothing(changed: str) -> None:
    """Other names, comments, docstrings, imports, magics and white space are the same code."""
    assert tokens(changed) == tokens(ORIGINAL)


@pytest.mark.parametrize(
    "changed",
    [
        ORIGINAL.replace("np.mean", "np.sum"),
        ORIGINAL.replace("-np", "np"),
        ORIGINAL.replace("*", "+"),
        ORIGINAL.replace("y_hat))", "y_hat + 1e-9))"),
    ],
)
def test_what_changes_something(changed: str) -> None:
    """Another function of numpy, operator or number is other code."""
    assert tokens(changed) != tokens(ORIGINAL)


def test_places() -> None:
    """A token knows where it stands."""
    source = "x = 'a b'  # c\ny"
    found = [(source[t.start : t.end], t.text) for t in code_tokens(source)]
    assert found == [("x", "N"), ("=", "="), ("'a b'", "S"), ("y", "N")]


@pytest.mark.parametrize("source", ["", "'''", "x = '", "\\", "def f(:\n  '", "é = ½", "\0"])
def test_broken_code(source: str) -> None:
    """Code that Python would not read has tokens all the same."""
    assert all(token.text for token in code_tokens(source))


def test_words() -> None:
    """Words are compared without case and marks."""
    assert [t.text for t in word_tokens("The *loss*, falls.")] == ["the", "loss", "falls"]
