"""What is said of an error that comes from the environment."""

from __future__ import annotations

import pytest

from grader.repair.causes import explain
from grader.repair.kinds import ALL_KINDS

FILES = ("hw/ann.ipynb", "hw/data.mat")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "ModuleNotFoundError: No module named 'no_such.sub'",
            "no_such is neither installed where this was graded nor among the files",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/home/jane/hw/x.csv'",
            "…/hw/x.csv is neither among the files handed in nor among the assignment's",
        ),
        ("FileNotFoundError: x.csv not found.", "x.csv is neither among the files"),
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "no network"),
    ],
)
def test_what_was_missing_and_the_cure(error: str, told: str) -> None:
    """The module, the file or the network is named, and where to put what is missing."""
    assert told in explain(error, FILES, ALL_KINDS)


@pytest.mark.parametrize(
    "error",
    [
        "NameError: name 'x' is not defined",
        "ValueError: shapes (2,3) and (4,) not aligned",
        "ModuleNotFoundError: No module named 'numpy.no_such'",
        "AttributeError: module 'numpy' has no attribute 'sigmiod'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data.mat'",
        "KeyError: 'not found'",
        "",
    ],
)
def test_the_students_own_errors_stay(error: str) -> None:
    """Of what the environment has no part in, nothing is added."""
    assert explain(error, FILES, ALL_KINDS) == ""


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("files", "FileNotFoundError: [Errno 2] No such file or directory: '/x/data.mat'"),
        ("names", "AttributeError: module 'numpy' has no attribute 'int'. `np.int` was"),
        ("names", "ImportError: cannot import name 'Callable' from 'collections' (/usr/lib)"),
        ("colab", "ModuleNotFoundError: No module named 'google.colab'"),
    ],
)
def test_a_repair_that_is_turned_off(kind: str, error: str) -> None:
    """Where a repair would have helped, its word is told."""
    others = set(ALL_KINDS) - {kind}
    assert f"the repair `{kind}` is turned off" in explain(error, FILES, others)
