"""What is read from a cell's code, whatever it looks like."""

from __future__ import annotations

import pytest

from grader.alignment.code import code_in_text, is_mostly_code, read_code

PLAIN = """
def scale(x, factor=2):
    for i in range(3):
        x = x * factor + 'a'
    return {'x': x}
"""
FORMATTED = '''
# another comment
def scale(
    x: np.ndarray,
    factor: int = 2,
) -> dict:
    """Says what it does."""

    for i in range(3):
        # inside
        x: float = x*factor + "a"

    return {"x": x,}
'''


def test_formatting_says_nothing() -> None:
    """Comments, quotes, white space, docstrings and type hints leave the lines as they are."""
    assert read_code(PLAIN).leaves == read_code(FORMATTED).leaves
    assert read_code(PLAIN).headers == read_code(FORMATTED).headers
    assert len(read_code(PLAIN).leaves) == 3


@pytest.mark.parametrize(
    "body",
    [
        *("pass", "...", "raise NotImplementedError", "raise NotImplementedError('to do')"),
        *("return", "return None", "return 0", "return np.zeros_like(x)", "return x * 0", "'text'"),
        *("y = None", "y = ...", "for i in x:\n        pass", "return {'a': x * 0, 'b': 0.0}"),
        *("return None, None", "x: int"),
    ],
)
def test_blanks(body: str) -> None:
    """What keeps a place does nothing: a function of such lines is left empty."""
    code = read_code(f"def f(x):\n    {body}")
    assert code.leaves == frozenset()
    assert not code.definitions[0].is_more_than(frozenset())


@pytest.mark.parametrize(
    "body",
    [
        *("return x", "return 1", "y = 0", "raise ValueError", "print(x)", "return x + 0"),
        *("return x\n    raise NotImplementedError", "for i in x:\n        i += 1", "return not x"),
    ],
)
def test_work(body: str) -> None:
    """Whatever else stands in a function is work, also above a NotImplementedError left behind."""
    assert read_code(f"def f(x):\n    {body}").definitions[0].is_more_than(frozenset())


def test_definitions() -> None:
    """A cell defines functions, classes and variables, in blocks too; what wraps a name is told."""
    source = "def f(x): return x\nf = np.vectorize(f)\nif True:\n    class C: a = 1\nb, c = 1, 2"
    found = [(d.name, d.wraps, d.value) for d in read_code(source).definitions]
    assert found == [
        ("f", False, False),
        ("f", True, False),
        ("C", False, False),
        ("b", False, True),
        ("c", False, True),
    ]


def test_code_that_is_not_python() -> None:
    """Of code that cannot be parsed the lines still count, and the names that begin them."""
    code = read_code("def f(x) return x\ny = 3 +\npass")
    assert not code.can_be_parsed
    assert (code.names, len(code.leaves)) == ({"f", "y"}, 2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = 3", "x = 3"),
        ("    def f(x):\n        return x", "def f(x):\n    return x"),
        ("My answer:\n\n```python\nx = 3\n```\n\nand\n\n```\ny = x\n```", "x = 3\n\ny = x"),
        ("~~~ py\nimport os\n~~~", "import os"),
        ("%matplotlib inline\nimport os", "%matplotlib inline\nimport os"),
        ("print(f(2))", "print(f(2))"),
    ],
)
def test_code_in_text(text: str, code: str) -> None:
    """Markdown that is Python, or has it between fences, holds that code."""
    assert code_in_text(text) == code


@pytest.mark.parametrize(
    "text",
    [
        *("Yes", "3.5", "x", "The answer is x = 3.", "# Heading\n\nsome words", "- one\n- two"),
        *("$\\sigma(x) = 3$", "```bash\npip install x\n```", "```\nloss 0.3 after 5 epochs\n```"),
        *("", "(a)", "a, b", "```python\nthis is no code\n```"),
    ],
)
def test_text_that_is_no_code(text: str) -> None:
    """Words, numbers, formulas, shell commands and printed output are no code."""
    assert code_in_text(text) == ""


def test_a_snippet_in_a_text() -> None:
    """A text that shows a line of code is still a text."""
    assert is_mostly_code("```python\nx = 3\ny = 4\n```")
    assert not is_mostly_code("I take a small step here, as large ones diverge:\n\n```\nx = 3\n```")
