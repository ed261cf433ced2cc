"""Which checks go home, and what of their files goes with them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.releasing.visible import visible_checks

from .conftest import MakeChecked

VISIBLE = '''

@pytest.mark.question("1a")
def test_visible(student):
    """square(x) is right."""
    assert_close(student.square(NUMBERS), 9.0)
'''
HIDDEN = '''

# nobody may know that 1234 is asked for
@pytest.mark.question("1a", hidden=True)
def test_hidden(student):
    """square(x) is right for large numbers."""
    assert_close(student.square(secret_number()), 1234.0**2)
'''
HELPERS = """
NUMBERS = 3.0  # kept as it is   written

SECRET = 1234.0


def secret_number():
    return SECRET
"""


def defined(text: str) -> set[str]:
    """The functions in a file."""
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_hidden_checks_stay_out(checked: MakeChecked) -> None:
    """A hidden check goes with its comment and with the helpers that it alone uses."""
    checks = visible_checks(checked(HELPERS + VISIBLE + HIDDEN))
    text = checks.files["test_tiny.py"]
    assert defined(text) == {"test_visible"}
    for secret in ("1234", "hidden", "secret", "SECRET", "nobody"):
        assert secret not in text
    assert checks.released == ("test_visible",)
    assert checks.hidden == ("test_tiny.py::test_hidden",)


def test_the_rest_of_the_text_is_kept(checked: MakeChecked) -> None:
    """What is released stands as its author wrote it; imports shrink to what is used."""
    text = visible_checks(checked(HELPERS + HIDDEN + VISIBLE)).files["test_tiny.py"]
    assert "NUMBERS = 3.0  # kept as it is   written\n" in text
    assert VISIBLE.strip() in text
    assert "import numpy" not in text
    assert "import pytest\n" in text
    assert "\n\n\n\n" not in text


def test_helper_modules(checked: MakeChecked) -> None:
    """Of a helper module goes only what released checks use; others do not go at all."""
    helpers = "import math\n\n\ndef used(x):\n    return x\n\n\ndef unused():\n    return math.e\n"
    text = "from tiny_helpers import unused, used\n" + (VISIBLE + HIDDEN).replace(
        "NUMBERS", "used(3.0)"
    ).replace("secret_number", "unused")
    checks = visible_checks(checked(text, tiny_helpers=helpers, tiny_others="X = 1\n"))
    assert checks.files.keys() == {"test_tiny.py", "tiny_helpers.py"}
    assert defined(checks.files["tiny_helpers.py"]) == {"used"}
    assert "math" not in checks.files["tiny_helpers.py"]
    assert "from tiny_helpers import used\n" in checks.files["test_tiny.py"]


def test_fixtures(checked: MakeChecked) -> None:
    """A fixture that a released check takes goes along, from conftest.py as well."""
    fixture = "\n\n@pytest.fixture\ndef {}():\n    return 3.0\n"
    text = fixture.format("three") + VISIBLE.replace("(student)", "(student, three, four)")
    conftest = "import pytest\n" + fixture.format("four") + fixture.format("five")
    checks = visible_checks(checked(text.replace("NUMBERS", "three"), conftest=conftest))
    assert defined(checks.files["test_tiny.py"]) == {"three", "test_visible"}
    assert defined(checks.files["conftest.py"]) == {"four"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("from reference import relu", "imports reference"),
        ("import reference.losses as losses", "imports reference"),
        ("data = load_module('data.py')", "load_module"),
        ("data = open('x')", "open"),
    ],
)
def test_what_students_lack(checked: MakeChecked, line: str, reason: str) -> None:
    """A check that needs `reference` or the assignment's own files stays with the grader."""
    inside = VISIBLE.replace("    assert_close", f"    {line}\n    assert_close")
    through_helper = f"\n\ndef NUMBERS():\n    {line}\n" + VISIBLE
    for text in (inside, through_helper):
        checks = visible_checks(checked(text.replace("released", "")))
        assert checks.files == {}
        assert reason in checks.withheld[0].reason


def test_answers_stay(checked: MakeChecked) -> None:
    """A check in whose code the solution's expression stands is withheld, whatever its names."""
    text = "\n\ndef total(v):\n    return np.sum(square(v))\n" + VISIBLE.replace("9.0", "total(3)")
    (withheld,) = visible_checks(checked(text)).withheld
    assert withheld.name == "test_visible"
    assert withheld.reason == "an answer stands in it: np.sum(square(v))"
    forced = visible_checks(checked(text.replace('"1a"', '"1a", released=True')))
    assert forced.released == ("test_visible",)


def test_answers_of_variants_stay(checked: MakeChecked, tiny_folder: Path) -> None:
    """The answers in variants/ count as well."""
    (tiny_folder / "variants").mkdir()
    (tiny_folder / "variants" / "other.py").write_text(
        "# %% 1a\ndef square(x):\n    return np.exp(2 * np.log(x))\n"
    )
    text = VISIBLE.replace("9.0", "np.exp(2 * np.log(NUMBERS))")
    assert visible_checks(checked(text)).released == ()


def test_author_keeps_a_check(checked: MakeChecked) -> None:
    """`released=False` keeps a visible check's code."""
    checks = visible_checks(checked(VISIBLE.replace('"1a"', '"1a", released=False')))
    assert checks.files == {}
    assert checks.withheld[0].reason == "its author keeps it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VISIBLE.replace('"1a"', '"1a", hidden=FLAG'), "in so many words"),
        (VISIBLE.replace('"1a"', '"1a", **MARK'), "without"),
        (VISIBLE.replace('@pytest.mark.question("1a")\n', ""), "no @pytest.mark.question"),
        ("\n\nclass TestIt:\n    pass\n", "functions"),
        ("\n\ndef f(:\n", "not Python"),
        (VISIBLE.replace("NUMBERS", "test_hidden(3)") + HIDDEN, "test_hidden is used by a check"),
    ],
)
def test_what_cannot_be_told(checked: MakeChecked, text: str, message: str) -> None:
    """Where it is not clear who may see a check, nothing is released."""
    with pytest.raises(AssignmentError, match=message):
        visible_checks(checked(text))


def test_marks_for_a_whole_file(checked: MakeChecked) -> None:
    """`pytestmark` hides every check of its file."""
    text = 'pytestmark = pytest.mark.question("1a", hidden=True)\n' + VISIBLE.replace(
        '@pytest.mark.question("1a")\n', ""
    )
    checks = visible_checks(checked(text))
    assert checks.files == {}
    assert checks.hidden == ("test_tiny.py::test_visible",)


def test_tiny(tiny: Assignment) -> None:
    """Of the tiny assignment's checks all visible ones are released."""
    checks = visible_checks(tiny)
    assert "test_square_of_many" not in checks.files["test_tiny.py"]
    assert len(checks.released) == 4
    assert checks.withheld == ()
