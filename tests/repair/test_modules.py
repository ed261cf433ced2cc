"""Where the modules are that a hand-in imports."""

from __future__ import annotations

from grader.repair.modules import find_modules, is_installed

FILES = ("hw/ann.ipynb", "hw/src/layers.py", "hw/src/net/a.py", "old/layers.py", "hw/random.py")


def found(*imported: str, files: tuple[str, ...] = FILES, unavailable: tuple[str, ...] = ()):
    """What becomes of imports; only numpy and Python's own modules are installed."""
    known = ("numpy", "random")
    return find_modules(imported, files, "hw", unavailable, lambda name: name in known)


def test_modules_of_the_hand_in_that_lie_elsewhere() -> None:
    """The nearest file or folder of that name is taken, and the others are told."""
    made = found("layers", "net.a")
    assert made.elsewhere == {"layers": "hw/src/layers.py", "net": "hw/src/net"}
    assert ("layers", "layers is not beside the notebook: hw/src/layers.py was taken") in made.said
    assert any("also old/layers.py" in text for _, text in made.said)


def test_modules_beside_the_notebook() -> None:
    """Nothing is done about them; that another of the same name lies elsewhere is told."""
    both = ("hw/utils.py", "cs231n/utils.py", "dl/utils/x.py")
    made = found("utils", files=both)
    assert made.elsewhere == {}
    assert made.absent == ()
    assert "`import utils` takes hw/utils.py" in made.said[0][1]
    assert "cs231n/utils.py, dl/utils" in made.said[0][1]
    assert found("utils", files=("hw/utils.py",)).said == ()


def test_modules_that_nobody_has() -> None:
    """They get a stand-in, unless the assignment has provided for their absence."""
    made = found("seaborn", "numpy.linalg", "keras", unavailable=("keras",))
    assert made.absent == ("seaborn",)
    assert "neither installed here nor handed in" in made.said[0][1]


def test_a_module_with_a_name_of_pythons_own() -> None:
    """It is told: the import may not take it."""
    assert found("random").said[0][1].startswith("hw/random.py has Python's own name")
    assert found("numpy").said == ()


def test_what_is_installed() -> None:
    """The grader's own packages are not, for a submission."""
    assert is_installed("numpy.linalg")
    assert is_installed("json")
    assert not is_installed("grader")
    assert not is_installed("no_such_module")
