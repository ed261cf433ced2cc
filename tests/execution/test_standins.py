"""What stands in for names and modules that are not there."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.execution.inside import standins

Order = Callable[..., standins.Finder]


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Order]:
    """Has modules found as ordered, until the test ends."""
    before = set(sys.modules)
    finders: list[Any] = []

    def give(**changes: Any) -> standins.Finder:
        whole = {"root": str(tmp_path), "files": [], "elsewhere": {}, "absent": [], "colab": False}
        finders.append(standins.Finder({**whole, **changes}))
        sys.meta_path.append(finders[-1])
        return finders[-1]

    yield give
    for finder in finders:
        sys.meta_path.remove(finder)
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def library() -> Iterator[Any]:
    """A library `lost_lib` that has `kept` and no more."""
    made: Any = types.ModuleType("lost_lib")
    made.kept, made.__all__ = 1, ["kept"]
    sys.modules["lost_lib"] = made
    yield made
    for name in [n for n in sys.modules if n.partition(".")[0] == "lost_lib"]:
        del sys.modules[name]


def test_names_are_defined_where_they_lack(library: Any) -> None:
    """What is there stays; the new ones are found by every kind of import."""
    standins.define("lost_lib", "kept", "builtins:int")
    standins.define("lost_lib", "whole", "builtins:int")
    standins.define("lost_lib", "part", "json")
    standins.define("lost_lib.gone.deep", "name", "math:pi")
    assert (library.kept, library.whole) == (1, int)
    assert importlib.import_module("lost_lib.part").loads is not None
    assert importlib.import_module("lost_lib.gone.deep").name == pytest.approx(np.pi)
    assert library.__all__ == ["kept", "whole", "part"]


def test_names_that_nothing_stands_for(library: Any) -> None:
    """They can be imported, and say why there is nothing when they are used."""
    standins.define("lost_lib", "boston", "!there is no such data any more")
    with pytest.raises(ModuleNotFoundError, match=r"no such data any more \(asked for lost_lib"):
        library.boston()


def test_styles(library: Any) -> None:
    """A renamed style is there under both names."""
    library.library = {"new": 3}
    standins.define("lost_lib", "old", "style:new")
    assert library.library == {"new": 3, "old": 3}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (standins.as_scalar(np.array([2.5])), 2.5),
        (standins.as_float_array([1, 2]).dtype, np.float64),
        (standins.as_float_array([1], dtype=int).dtype, np.float64),
        (standins.in_1d([[1, 2]], [2]).tolist(), [False, True]),
        (standins.sort_first_axis(np.array([[3, 1], [1, 2]])).tolist(), [[1, 1], [3, 2]]),
        (standins.common_type([np.float32], [np.int64]), np.float64),
        (standins.nothing(1, a=2), None),
    ],
)
def test_helpers(value: Any, expected: Any) -> None:
    """Each does what the function did whose place it takes."""
    assert value == expected


def test_a_missing_module_fails_when_it_is_used(order: Order) -> None:
    """Not when it is imported; and any use of it names it."""
    order(absent=["no_such_lib"])
    scope: dict[str, Any] = {}
    exec(
        "import no_such_lib.nn as nn\nfrom no_such_lib.optim import SGD, Adam\n"
        "from no_such_lib import *\nkind = isinstance(3, SGD)\ntext = repr(SGD)",
        scope,
    )
    assert scope["kind"] is False
    for use in ("nn.Linear(3, 4)", "SGD + 1", "SGD[0]", "[*SGD]", "class N(nn.Module): x = 1"):
        with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_lib'"):
            exec(use, scope)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("another_lib")


def test_a_module_that_is_there_is_taken(order: Order) -> None:
    """Stand-ins come after everybody else."""
    order(absent=["colorsys"], colab=True)
    assert importlib.import_module("colorsys").rgb_to_hsv is not None


def test_progress_bars(order: Order) -> None:
    """tqdm runs through what it is given; its methods have no effect."""
    order(absent=["tqdm"])
    for name in ("tqdm", "tqdm.notebook", "tqdm.auto"):
        sys.modules.pop(name, None)
    scope: dict[str, Any] = {}
    exec("from tqdm.notebook import tqdm, trange", scope)
    with scope["tqdm"](range(3), desc="x", leave=False) as bar:
        assert list(bar) == [0, 1, 2]
        bar.set_postfix(loss=1)
    assert len(scope["tqdm"]([1, 2])) == 2
    assert list(scope["trange"](2, desc="x")) == [0, 1]


def test_settings_and_decorators(order: Order) -> None:
    """What only adorns has no effect; the decorated function is the plain one."""
    order(absent=["seaborn", "numba"])
    scope: dict[str, Any] = {}
    exec(
        "import seaborn as sns\nsns.set_style('dark')\nfrom numba import jit, njit\n"
        "@njit\ndef f(x): return x\n@jit(nopython=True)\ndef g(x): return x",
        scope,
    )
    assert (scope["f"](3), scope["g"](4)) == (3, 4)
    with pytest.raises(ModuleNotFoundError, match=r"asked for seaborn.heatmap"):
        scope["sns"].heatmap([1])


def test_colab(order: Order, tmp_path: Path) -> None:
    """Drives are mounted nowhere, and the files that there are count as uploaded."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.csv").write_bytes(b"1")
    (tmp_path / "ann.ipynb").write_bytes(b"{}")
    order(colab=True, files=["sub/x.csv", "ann.ipynb", "gone.csv"])
    scope: dict[str, Any] = {}
    exec(
        "from google.colab import drive, files\nimport google.colab.output\n"
        "drive.mount('/content/drive', force_remount=True)\nfiles.download('x')\n"
        "from google.colab.patches import cv2_imshow\nup = files.upload()",
        scope,
    )
    assert scope["up"] == {"x.csv": b"1"}


def test_modules_elsewhere(order: Order, tmp_path: Path) -> None:
    """A file, a package, and a folder without `__init__` are imported from where they lie."""
    for name in ("a/far_file.py", "b/far_pack/__init__.py", "c/far_plain/inner.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("value = __name__")
    order(
        elsewhere={
            "far_file": "a/far_file.py",
            "far_pack": "b/far_pack",
            "far_plain": "c/far_plain",
        }
    )
    assert importlib.import_module("far_file").value == "far_file"
    assert importlib.import_module("far_pack").value == "far_pack"
    assert importlib.import_module("far_plain.inner").value == "far_plain.inner"


def test_backends_with_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are passed over; others are matplotlib's own matter."""
    mpl, plt = pytest.importorskip("matplotlib"), importlib.import_module("matplotlib.pyplot")
    asked: list[str] = []
    monkeypatch.setattr(mpl, "use", asked.append)
    monkeypatch.setattr(plt, "switch_backend", asked.append)
    standins.refuse_windows(["tkagg"])
    mpl.use("TkAgg")
    plt.switch_backend("TkAgg")
    mpl.use("agg")
    assert asked == ["agg"]
