"""Which names of which libraries a piece of code asks for."""

from __future__ import annotations

import ast

import pytest

from grader.repair.scanning import Uses, imported_names, uses


def asked(source: str) -> Uses:
    """What code asks for."""
    tree = ast.parse(source)
    return uses(tree, imported_names([tree]))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.int(3)",
        "import numpy\ndef f():\n    return numpy.int",
        "from numpy import int as integer",
        "import numpy.linalg\nnumpy.int",
        "def f():\n    import numpy as N\n    return N.int",
        "from numpy import int\nint(3)",
    ],
)
def test_names_are_found_under_any_alias(source: str) -> None:
    """However a library is imported, its names are told in full."""
    assert "numpy.int" in asked(source).names


@pytest.mark.parametrize(
    "source",
    [
        "np = Box()\nnp.int",
        "class np:\n    int = 3\nnp.int",
        "import numpy as np\ndef f(np):\n    return np.int",
        "import numpy as np\ng = lambda np: np.int",
        "'np.int'",
        "import torch as np\nnp.int",
    ],
)
def test_what_only_looks_so(source: str) -> None:
    """A student's own variable, parameter or text is not the library."""
    assert "numpy.int" not in asked(source).names


def test_names_of_a_star_import() -> None:
    """What nothing defines may be NumPy's; what the code or Python defines is not."""
    found = asked("from numpy import *\nNaN = 3\nx = [Inf, NaN, int, x]\ndef product(): pass")
    assert "numpy.Inf" in found.names
    assert "numpy.Inf" in asked("from pylab import *\nfrom math import *\nInf").names
    assert "numpy.Inf" not in asked("from math import *\nInf").names
    assert not found.names & {"numpy.NaN", "numpy.int", "numpy.x", "numpy.product"}


def test_imports_that_are_guarded() -> None:
    """What a `try` goes on without is not asked for."""
    source = (
        "import a.b\nfrom c import d\nfrom . import e\ntry:\n    import g\nexcept ImportError:\n"
        "    import h\ntry:\n    import i\nfinally:\n    pass"
    )
    assert asked(source).modules == {"a.b", "c", "c.d", "h", "i"}


def test_deeply_nested_code() -> None:
    """A hand-in cannot break the grader by the depth of its expressions."""
    assert asked("import numpy as np\nx = " + "+".join(["np.int(1)"] * 900)).modules == {"numpy"}


def test_styles_and_backends() -> None:
    """The texts that matplotlib is called with are told, others are not."""
    source = (
        "import matplotlib, matplotlib.pyplot as plt\nplt.style.use(['seaborn', 'x'])\n"
        "matplotlib.use('TkAgg')\nplt.switch_backend(newbackend='qt')\nplt.title('seaborn')"
    )
    found = asked(source)
    assert found.styles == {"seaborn", "x"}
    assert found.backends == {"TkAgg", "qt"}


def test_modules_by_which_pyplot_calls_them() -> None:
    """`plt.cm` is `matplotlib.cm`."""
    found = asked("import matplotlib.pyplot as plt\nplt.cm.get_cmap('x')\nfrom numpy import *")
    assert "matplotlib.cm.get_cmap" in found.names
    assert not any("*" in name for name in found.names | found.modules)
