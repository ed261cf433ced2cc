"""Scripts as notebooks."""

from __future__ import annotations

import textwrap

import pytest

from grader.submission.notebook import from_tree
from grader.submission.scripts import has_marked_cells, may_answer, read_script


def cells(text: str, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """The kind and source of each cell of a script."""
    content = textwrap.dedent(text).encode(encoding)
    notebook = from_tree(read_script(content, "hw.py"), "hw.py")
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_percent_format() -> None:
    """`# %%` begins a cell, `[markdown]` one of text."""
    text = """
        # %% [markdown]
        # # 1 Squares

        # %%
        def square(x):
            return x * x
        # %% Spyder gives cells titles
        square(2)
    """
    assert cells(text) == [
        ("markdown", "# 1 Squares"),
        ("code", "def square(x):\n    return x * x"),
        ("code", "square(2)"),
    ]


def test_light_format() -> None:
    """`# +` and blank lines begin a cell; comments by themselves are text."""
    text = """
        # # 1 Squares

        x = 1

        # +
        y = 2

        z = 3
        # -
    """
    assert cells(text) == [
        ("markdown", "# 1 Squares"),
        ("code", "x = 1"),
        ("code", "y = 2\n\nz = 3"),
    ]


def test_export() -> None:
    """What nbconvert exported becomes the cells that it was made from, magics included."""
    text = """
        #!/usr/bin/env python
        # coding: utf-8

        # # 1 Squares
        # in numpy

        # In[1]:


        import numpy as np
        get_ipython().run_line_magic('matplotlib', 'inline')
        get_ipython().system('pip install numpy')


        # ### (b) the derivative
        # of it

        # In[ ]:


        x = 1
        # half of it
        y = x / 2
    """
    assert cells(text.lstrip("\n")) == [
        ("markdown", "# 1 Squares\nin numpy"),
        ("code", "import numpy as np\n%matplotlib inline\n!pip install numpy"),
        ("markdown", "### (b) the derivative\nof it"),
        ("code", "x = 1\n# half of it\ny = x / 2"),
    ]


def test_plain_script() -> None:
    """A plain script is split between its statements, never within one."""
    text = '''
        """What it does.

        At length."""
        import numpy as np

        # (a) the square

        def square(x):
            y = x

            return y * x


        if __name__ == "__main__":
            print(square(2))
    '''
    found = cells(text)
    assert ("markdown", "(a) the square") in found
    assert ("code", "def square(x):\n    y = x\n\n    return y * x") in found
    for kind, source in found:
        if kind == "code":
            compile(source, "cell", "exec")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding: str) -> None:
    """A script is read in whatever encoding an editor has saved it."""
    assert cells("# %%\nx = 'ü'\n", encoding) == [("code", "x = 'ü'")]


@pytest.mark.parametrize("text", ["def f(:\n", "    x = 1\n y = 2\n", "print 'a'\n"])
def test_broken_code(text: str) -> None:
    """Code that is no Python is read all the same: running it says what is wrong."""
    assert "".join(source for _, source in cells(text)).split() == text.split()


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("# %%\nx", True),
        ("# In[3]:\nx", True),
        ("#%% a", True),
        ("# +\nx", True),
        ("x %% y", False),
    ],
)
def test_marks(text: str, marked: bool) -> None:
    """A script that marks its cells is told from a module."""
    assert has_marked_cells(text.encode()) is marked


@pytest.mark.parametrize(
    ("name", "may"),
    [("hw.py", True), ("a/__init__.py", False), ("setup.py", False), ("test_hw.py", False)],
)
def test_names(name: str, may: bool) -> None:
    """What belongs to a package or its tests is no answer."""
    assert may_answer(name) is may
