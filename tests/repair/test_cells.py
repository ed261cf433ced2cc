"""What is taken out of a cell before it is run, and what is left as it is."""

from __future__ import annotations

import pytest

from grader.repair.cells import Surroundings, bodies, loads_extensions, python_text, repair_cell
from grader.repair.kinds import ALL_KINDS, RepairKind

FILES = ("hw/ann.ipynb", "hw/helpers/setup.py", "old/setup.py", "hw/near.py")
AROUND = Surroundings(
    frozenset(ALL_KINDS), FILES, "hw", is_installed=lambda name: name == "storage"
)


def kinds(source: str, around: Surroundings = AROUND) -> list[str]:
    """The kinds of what was repaired in a cell."""
    return [kind for kind, _ in repair_cell(source, around).done]


@pytest.mark.parametrize(
    "command",
    [
        "!pip install torch==1.0 \\\n  numpy",
        "!sudo apt-get -y install graphviz",
        "!{sys.executable} -m pip install x",
        "!python3 -m pip install x",
        "!git clone https://example.org/x.git",
        "pip install -U x",
        "!wget -q https://example.org/data.mat -O data.mat",
        "!ls -la | ls",
        "!!ls",
        "!nvidia-smi",
        "!jupyter nbconvert --to html ann.ipynb",
        "%pip install x",
        "%conda install -y x",
        "!conda install x",
        "pip install numpy==1.16",
        "%%bash\npip install x\n# and the data\nwget https://example.org/data.mat",
        "%%shell\napt install x",
        "%sx ls",
        "get_ipython().system('pip install x')",
        "get_ipython().getoutput('ls')",
        "if new:\n    !pip install x",
        "%%time\n!pip install x",
    ],
)
def test_installs_and_downloads_are_not_run(command: str) -> None:
    """What installs, downloads or only looks is left out and named; the rest of the cell stays."""
    repaired = repair_cell(f"{command}", AROUND)
    assert [kind for kind, _ in repaired.done] == [RepairKind.COMMANDS]
    assert "was not run" in repaired.done[0][1]
    assert "pip" not in repaired.source.replace("pipe", "")
    assert "wget" not in repaired.source


@pytest.mark.parametrize(
    "source",
    [
        "files = !ls data",
        "names = !pip list\nprint(names)",
        "%mkdir out",
        "!unzip data.zip",
        "!mkdir -p data && wget https://example.org/x -O data/x",
        "!python make_data.py",
        "!sh collect.sh",
        "%%bash\nunzip data.zip",
        "%%writefile utils.py\n!pip install x\nimport seaborn",
        "text = '''\n!pip install x\n%cd /content\n%matplotlib notebook\n'''",
        "# !pip install x\nprint('%matplotlib notebook')",
        "x = 7 \\\n % 3",
        "%matplotlib inline\nimport numpy as np",
        "%cd data",
        "%timeit f(3)",
        "%%time\nx = 1",
        "%%capture out\nprint(1)",
        "%%html\n<b>x</b>",
        "%run near.py",
        "%run no_such_script.py",
        "%load_ext storage",
        "y = %who_ls",
        "print 'x'\n!pip install x",
        "def f(:\n!pip install x",
        "import pip",
        "np.product(3)",
        "",
    ],
)
def test_what_may_matter_is_left_as_it_is(source: str) -> None:
    """What writes, gives a result, only looks so, or cannot be read: untouched."""
    repaired = repair_cell(source, AROUND)
    assert (repaired.source, repaired.done) == (source, ())


def test_the_rest_of_the_cell_stays() -> None:
    """Lines around a repaired one keep their text, comments included."""
    source = "import numpy as np  # Zahlen\n!pip install x\nx = 'é'  # !pip\n"
    assert (
        repair_cell(source, AROUND).source
        == "import numpy as np  # Zahlen\npass\nx = 'é'  # !pip\n"
    )


@pytest.mark.parametrize(
    "name", ["notebook", "widget", "qt", "tk", "nbagg", "ipympl", "osx", "TkAgg", "qt5"]
)
def test_figures_in_windows(name: str) -> None:
    """`%matplotlib` with a window draws inline instead."""
    repaired = repair_cell(f"%matplotlib {name}\nx = 1", AROUND)
    assert repaired.source == "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1\n"
    assert repaired.done[0][0] == RepairKind.BACKENDS


@pytest.mark.parametrize(
    "line",
    [
        "%load_ext autoreload",
        "%autoreload 2",
        "%load_ext tensorboard",
        "%tensorflow_version 2.x",
        "%debug",
        "%lprun -f f f(3)",
        "%clear",
        "get_ipython().magic('tensorflow_version 2.x')",
    ],
)
def test_magics_that_do_not_exist(line: str) -> None:
    """An unknown magic, or one for somebody who sits there, does not end the cell."""
    repaired = repair_cell(f"a = 1\n{line}\nb = 2", AROUND)
    assert repaired.source.split() == ["a", "=", "1", "pass", "b", "=", "2"]
    assert repaired.done[0][0] == RepairKind.MAGICS


def test_magics_by_the_method_of_old() -> None:
    """`get_ipython().magic`, as exported scripts have it, runs by the method that IPython has."""
    repaired = repair_cell("get_ipython().magic('reset -sf')\nx = 1", AROUND)
    assert repaired.source.split("\n")[0] == "get_ipython().run_line_magic('reset', '-sf')"
    assert repaired.done[0][0] == RepairKind.MAGICS
    assert kinds("get_ipython().run_line_magic('reset', '-sf')") == []


def test_magics_of_an_extension_that_is_installed() -> None:
    """Where an extension is loaded that there is, nobody knows its magics: they stay."""
    sources = ["%load_ext storage", "%keep x"]
    assert loads_extensions(sources, lambda name: True)
    assert not loads_extensions(["%load_ext autoreload"], lambda name: True)
    assert not loads_extensions(sources, lambda name: False)
    around = Surroundings(frozenset(ALL_KINDS), extensions=True)
    assert kinds("%keep x", around) == []
    assert kinds("%keep x") == [RepairKind.MAGICS]


def test_cell_magics_that_do_not_exist() -> None:
    """Lines that are Python are run without the magic, repaired as well; others are not run."""
    repaired = repair_cell("%%cython -a\n!pip install x\ndef f():\n    return 1\n", AROUND)
    assert repaired.source.strip() == "pass\ndef f():\n    return 1"
    assert [kind for kind, _ in repaired.done] == [RepairKind.MAGICS, RepairKind.COMMANDS]
    sql = repair_cell("%%bigquery\nSELECT a FROM b", AROUND)
    assert sql.source == "pass\n"
    assert "the cell was not run" in sql.done[0][1]
    shell = repair_cell("%%shell\nunzip data.zip", AROUND)
    assert "run_cell_magic('bash'" in shell.source


def test_scripts_that_lie_elsewhere() -> None:
    """`%run` takes the nearest script of that name, told without the folders of a person."""
    repaired = repair_cell("%run -i '/home/jane/hw/setup.py' 3", AROUND)
    assert "helpers/setup.py" in repaired.source
    assert "-i" in repaired.source
    assert "jane" not in repaired.done[0][1]
    assert repaired.done[0] == (
        RepairKind.FILES,
        "`%run …/hw/setup.py`: hw/helpers/setup.py was taken",
    )


@pytest.mark.parametrize(
    "path",
    ["/home/jane/nn/x.py", "'/content/drive/MyDrive/Colab Notebooks/x.ipynb'", "C:/jane/nn/x.py"],
)
def test_scripts_that_were_not_handed_in(path: str) -> None:
    """`%run` of another machine's script does not end the cell, and what is missing is said."""
    repaired = repair_cell(f"%run {path}\nimport numpy as np", AROUND)
    assert repaired.source.split("\n")[:2] == ["pass", "import numpy as np"]
    assert repaired.done[0][0] == RepairKind.FILES
    assert "was left out: it was not handed in" in repaired.done[0][1]
    assert "jane" not in repaired.done[0][1]


def test_scripts_in_folders_with_spaces() -> None:
    """A path with spaces is one path."""
    repaired = repair_cell("%run '/content/drive/My Drive/setup.py'", AROUND)
    assert "helpers/setup.py" in repaired.source


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (RepairKind.COMMANDS, "!pip install x"),
        (RepairKind.MAGICS, "%unheard of"),
        (RepairKind.BACKENDS, "%matplotlib tk"),
        (RepairKind.FILES, "%run /x/setup.py"),
    ],
)
def test_each_kind_can_be_turned_off(kind: RepairKind, source: str) -> None:
    """Without its kind, a cell stays as it is."""
    others = frozenset(ALL_KINDS) - {kind}
    assert kinds(source) == [kind]
    around = Surroundings(others, FILES, "hw", is_installed=lambda name: False)
    assert repair_cell(source, around).source == source


def test_code_in_the_text_of_magics_is_read() -> None:
    """What `%%time` and `%timeit` run is code of the cell's; other text is not."""
    trees = list(bodies("%%time\nimport a\n%timeit b.c(3)"))
    assert len(trees) == 3
    assert len(list(bodies("%%writefile x.py\nimport a"))) == 1
    assert list(bodies("def f(:")) == []


def test_plain_cells_are_not_given_to_ipython() -> None:
    """A cell without magics is its own Python, `%matplotlib inline` a line that does nothing."""
    assert python_text("x = 1") == "x = 1"
    assert python_text("  %matplotlib inline\nx = 1") == "  pass\nx = 1"
