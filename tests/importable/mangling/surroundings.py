"""Cells of other machines, other years and passing ideas, between the answers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grader.assignment import Assignment
from mangling.bases import fresh_id
from mangling.records import Cell, HandIn, NotApplicableError, Stage, deformation


@deformation(Stage.SURROUNDINGS)
def drive_mounted(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Colab's drive is mounted in a cell at the top, and the notebook goes to a folder there."""
    mount = "from google.colab import drive\ndrive.mount('/content/drive')"
    change = (
        "%cd /content/drive/MyDrive/nn/week3\nimport sys\n"
        "sys.path.append('/content/drive/MyDrive/nn')"
    )
    return _above_code(hand_in, [mount, change], rng)


@deformation(Stage.SURROUNDINGS)
def drive_in_imports(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Colab's drive is mounted in the lines above the first imports, in their cell."""
    lines = (
        "from google.colab import drive\n"
        "drive.mount('/content/drive', force_remount=True)\n"
        "%cd '/content/drive/MyDrive/Colab Notebooks'\n"
    )
    return _into_first(hand_in, lines, "")


@deformation(Stage.SURROUNDINGS)
def colab_upload(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Files are uploaded and shown through `google.colab` at the top."""
    source = "from google.colab import files, output\nuploaded = files.upload()\noutput.clear()"
    return _above_code(hand_in, [source], rng)


@deformation(Stage.SURROUNDINGS)
def shell_lines(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Packages are installed and repositories cloned through the shell."""
    sources = [
        "!pip install numpy matplotlib scipy",
        "%pip install -q tqdm==4.66",
        "!git clone https://example.org/course/material.git",
        "!nvidia-smi\n!ls -l && mkdir -p data && wget -q https://example.org/data.zip",
        "!apt-get install -y graphviz > /dev/null 2>&1",
    ]
    return _above_code(hand_in, sources, rng)


@deformation(Stage.SURROUNDINGS)
def shell_lines_in_imports(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Packages are installed in the cell of the first imports."""
    lines = "!pip install -q numpy==1.19.5\n!git clone https://example.org/course/material.git\n"
    return _into_first(hand_in, lines, "\n!pip freeze | grep numpy")


@deformation(Stage.SURROUNDINGS)
def run_magic(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """A script of another machine is run by `%run`, in a cell and in that of the imports."""
    changed = _above_code(hand_in, ["%run /home/student/nn/setup.py"], rng)
    return _into_first(
        changed, "%run '/content/drive/MyDrive/My Notebooks/helpers.ipynb'\n", "", skip=1
    )


@deformation(Stage.SURROUNDINGS)
def notebook_figures(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Figures are asked for by `%matplotlib notebook`, and modules are reloaded by a magic."""
    lines = "%matplotlib notebook\n%load_ext autoreload\n%autoreload 2\n"
    return _into_first(hand_in, lines, "\n%config InlineBackend.figure_format = 'retina'")


@deformation(Stage.SURROUNDINGS)
def qt_figures(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Figures are asked for in windows, by `%matplotlib qt` and `matplotlib.use('TkAgg')`."""
    return _into_first(hand_in, "%matplotlib qt\nimport matplotlib\nmatplotlib.use('TkAgg')\n", "")


@deformation(Stage.SURROUNDINGS)
def timed(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Code answers are timed by `%%time`."""
    cells = [
        replace(c, source=f"%%time\n{c.source}") if c.is_code and c.role == "answer" else c
        for c in hand_in.cells
    ]
    if tuple(cells) == hand_in.cells:
        raise NotApplicableError("no cell answers with code")
    return hand_in.with_cells(cells)


@deformation(Stage.SURROUNDINGS)
def sklearn_moved(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The first imports begin with names that scikit-learn has moved or dropped."""
    lines = (
        "from sklearn.cross_validation import train_test_split\n"
        "from sklearn.externals import joblib\n"
    )
    return _into_first(hand_in, lines, "")


@deformation(Stage.SURROUNDINGS)
def folder_in_imports(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The first imports begin with `os.chdir` to a folder of another machine."""
    return _into_first(hand_in, "import os\nos.chdir('/home/student/courses/nn')\n", "")


@deformation(Stage.SURROUNDINGS)
def missing_module(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The first imports begin with a module that is not installed here and hardly used."""
    return _into_first(hand_in, "import seaborn as sns\nsns.set()\n", "")


@deformation(Stage.SURROUNDINGS)
def old_style(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The first imports begin with a style that newer matplotlib does not have."""
    lines = "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')\n"
    return _into_first(hand_in, lines, "")


@deformation(Stage.SURROUNDINGS)
def names_cleared(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The notebook begins by clearing all names and the screen."""
    lines = "%reset -f\n%clear\nfrom IPython import get_ipython\nget_ipython().magic('reset -sf')\n"
    return _into_first(hand_in, lines, "")


@deformation(Stage.SURROUNDINGS)
def asks_for_input(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The notebook asks for a name and waits for it."""
    return _above_code(hand_in, ["group = int(input('Your group: '))"], rng)


@deformation(Stage.SURROUNDINGS)
def exits(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Cells between the others leave the program."""
    return _strewn(hand_in, ["import sys\nsys.exit()", "exit()"], rng)


@deformation(Stage.SURROUNDINGS)
def other_years_utils(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """A helper of another year's `utils` is imported at the top, and used in later cells."""
    first = "from utils import plot_decision_boundary, load_dataset_2019"
    later = "plot_decision_boundary(lambda x: x, load_dataset_2019())"
    return _strewn(_above_code(hand_in, [first], rng), [later, later], rng)


@deformation(Stage.SURROUNDINGS)
def scratch_cells(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Cells that print and try things stand between the others."""
    sources = [
        "print('here')",
        "test = [i ** 2 for i in range(5)]\ntest",
        "?print",
        "# TODO ask about this\n",
        "",
        "help(print)",
    ]
    return _strewn(hand_in, sources, rng)


@deformation(Stage.SURROUNDINGS)
def scratch_raises(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """Cells that raise, or that are no Python, stand between the others."""
    sources = [
        "something_undefined + 1",
        "for i in range(3)\n    print(i)",
        "assert 1 + 1 == 3",
        "raise KeyboardInterrupt",
        "why does this not work",
        "import a_module_that_nobody_has",
    ]
    return _strewn(hand_in, sources, rng)


@deformation(Stage.SURROUNDINGS)
def own_headings(hand_in: HandIn, assignment: Assignment, rng: Random) -> HandIn:
    """The student's own headings and remarks stand between the cells."""
    texts = ["## Notes", "### my solution", "**(see lecture 3)**", "---", "# 1", "a) b) c) ???"]
    cells = list(hand_in.cells)
    for text in texts:
        made = Cell("markdown", text, identity=fresh_id(rng))
        cells.insert(rng.randrange(len(cells) + 1), made)
    return hand_in.with_cells(cells)


def _code(source: str, rng: Random) -> Cell:
    return Cell("code", source, identity=fresh_id(rng), count=rng.randrange(1, 200))


def _above_code(hand_in: HandIn, sources: list[str], rng: Random) -> HandIn:
    """New cells above the first code cell."""
    first = next((i for i, cell in enumerate(hand_in.cells) if cell.is_code), len(hand_in.cells))
    made = [_code(source, rng) for source in sources]
    return hand_in.with_cells([*hand_in.cells[:first], *made, *hand_in.cells[first:]])


def _into_first(hand_in: HandIn, above: str, below: str, skip: int = 0) -> HandIn:
    """Lines at the beginning and end of the first code cell that is not skipped."""
    code = [i for i, cell in enumerate(hand_in.cells) if cell.is_code][skip:]
    if not code:
        raise NotApplicableError("there is no code cell")
    cells = list(hand_in.cells)
    cells[code[0]] = replace(cells[code[0]], source=above + cells[code[0]].source + below)
    return hand_in.with_cells(cells)


def _strewn(hand_in: HandIn, sources: list[str], rng: Random) -> HandIn:
    """New cells below code cells drawn by chance, in order."""
    code = [i for i, cell in enumerate(hand_in.cells) if cell.is_code]
    if not code:
        raise NotApplicableError("there is no code cell")
    cells = list(hand_in.cells)
    places = sorted(rng.choice(code) for _ in sources)
    for place, source in sorted(zip(places, sources, strict=True), reverse=True):
        cells.insert(place + 1, _code(source, rng))
    return hand_in.with_cells(cells)
