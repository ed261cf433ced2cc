"""Code that only Python 2 can read, and code that is merely wrong."""

from __future__ import annotations

import pytest

from grader.repair.python2 import first_old_line, refusal, says_python_2

OLD, OLDER, NEW = "print 'loss', x", "try:\n    f()\nexcept E, e:\n    pass", "print(f'{x}')"


@pytest.mark.parametrize(
    "source",
    [
        *(OLD, OLDER, "exec code in names", "x = 10L", "x = 0777", "a <> b", "raise E, 'x'"),
        *("`x`", "ur'x'", "print 'a'; print 'b'", "for i in r: print i,", 'print """a\nb""" % c'),
        *("%matplotlib inline\nprint x", "if a: print b\nelse: print c", "lambda (a, b): a"),
        "if a:\n\tprint x\n        print y",
    ],
)
def test_what_only_python_2_reads(source: str) -> None:
    """Once its old lines are written as Python 3 has them, the code is right."""
    assert first_old_line(source)


@pytest.mark.parametrize(
    "source",
    [
        *("print('x')", "print", "print (a), b", "xrange(3); raw_input()", "x = print 5"),
        *("def f(:", "print 'a' +* 3", "pritn 'a'", "x = = 3", "print(x", "unicode(3)", ""),
    ],
)
def test_what_is_no_proof(source: str) -> None:
    """Names of Python 2 parse in Python 3, and a slip is wrong in both."""
    assert first_old_line(source) == ""


def test_refusal() -> None:
    """The message names the first place and its line, and the cure."""
    reason = refusal({"cell 1": "x = 1", "cell 3": OLD, "cell 4": OLDER}, False)
    assert "cell 3 (`print 'loss', x`) and 1 other place cannot" in reason
    assert "convert the code" in reason


@pytest.mark.parametrize(
    ("sources", "says", "refused"),
    [
        ([OLD, OLDER], False, True),
        ([OLD, OLD, "print(1)"], False, True),
        ([OLD], True, True),
        ([OLD], False, False),
        ([OLD, OLD, "print(1)", "print(2)"], False, False),
        ([OLD, OLDER, NEW], False, False),
        ([OLD, OLDER, NEW], True, False),
        ([OLD, OLD, "x = a @ b"], True, False),
        ([OLD, OLD, "def f(x: int): pass"], False, False),
        (["x = 1"], True, False),
        ([], True, False),
    ],
)
def test_who_is_refused(sources: list[str], says: bool, refused: bool) -> None:
    """Not for one slip, nor where other code cannot be Python 2, nor for a kernel's name."""
    places = {f"cell {i}": source for i, source in enumerate(sources)}
    assert bool(refusal(places, says)) == refused


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"kernelspec": {"name": "python2"}}, True),
        ({"kernelspec": {"name": "x", "display_name": "Python 2"}}, True),
        ({"language_info": {"version": "2.7.12"}}, True),
        ({"kernelspec": {"name": "python3"}, "language_info": {"version": "3.8"}}, False),
        ({}, False),
    ],
)
def test_metadata(metadata: dict[str, dict[str, object]], says: bool) -> None:
    """The kernel's name or the language's version says which Python it was."""
    assert says_python_2(metadata) == says
