"""Names that libraries have no more."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from grader.execution.inside import standins
from grader.repair.names import REPLACEMENTS, find_gone, find_styles

# What nothing stands for: settings of NumPy's insides and helpers for its own developers.
WITHOUT = frozenset(
    [
        *("geterrobj", "seterrobj", "cast", "fastCopyAndTranspose", "set_numeric_ops"),
        *("add_newdoc", "add_docstring", "add_newdoc_ufunc", "issctype", "maximum_sctype"),
        *("obj2sctype", "sctype2char", "sctypes", "tracemalloc_domain", "recfromcsv"),
        *("recfromtxt", "deprecate", "deprecate_with_doc", "get_array_wrap", "nbytes"),
    ]
)


def test_numpys_own_table() -> None:
    """Every name that NumPy says it has dropped has a replacement, or is known to have none."""
    table = importlib.import_module("numpy._expired_attrs_2_0").__expired_attributes__
    former = set(np.__former_attrs__)
    for name in {*table, *former} - WITHOUT:
        assert f"numpy.{name}" in REPLACEMENTS, name


@pytest.mark.parametrize("name", sorted(REPLACEMENTS))
def test_replacements_exist(name: str) -> None:
    """What stands for a name can be had, with the libraries that are installed."""
    target = REPLACEMENTS[name]
    if not target.startswith("!") and target != "six":
        assert standins._value(target, name) is not None


def test_names_of_scikit_learn_are_gone() -> None:
    """They are not looked for, so none of them may be there."""
    sklearn = pytest.importorskip("sklearn")
    assert tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 2)
    for name in REPLACEMENTS:
        if name.startswith("sklearn."):
            module, _, attribute = name.rpartition(".")
            with pytest.raises((ImportError, AttributeError)):
                getattr(importlib.import_module(module), attribute)


def test_only_what_is_gone() -> None:
    """Names that the installed version has are left alone, and so are those nobody knows."""
    names = {"numpy.int", "numpy.bool", "numpy.int64", "numpy.no_such", "scipy.interp", "json.x"}
    assert [gone.name for gone in find_gone(names)] == ["numpy.int", "scipy.interp"]


def test_names_inside_of_what_is_gone() -> None:
    """A name in a module that has moved is found by the module."""
    found = find_gone(["sklearn.cross_validation.KFold", "scipy.misc.imread"])
    assert [gone.name for gone in found] == ["scipy.misc.imread", "sklearn.cross_validation"]
    assert "use imageio or Pillow" in found[0].text


def test_styles() -> None:
    """matplotlib's seaborn styles got a version in their names; others stay."""
    found = find_styles({"seaborn-white", "seaborn", "ggplot", "seaborn-v0_8"})
    assert [gone.target for gone in found] == ["style:seaborn-v0_8", "style:seaborn-v0_8-white"]
    assert found[1].text.startswith("the style seaborn-white is called seaborn-v0_8-white")


def test_what_a_report_says() -> None:
    """The name, the version that lacks it, and what it is here."""
    assert f"numpy {np.__version__} has no more, is int here" in find_gone(["numpy.int"])[0].text
    assert "has a stand-in here" in find_gone(["numpy.asscalar"])[0].text
