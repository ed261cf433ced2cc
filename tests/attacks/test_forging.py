"""Notebooks that try to write their own verdict."""

from __future__ import annotations

import copy

import nbformat
import pytest

from grader import grade
from grader.assignment import Assignment
from grader.records import Report
from grader.submission import Submission, read_notebook

WRONG = """
def square(x):
    return None

def square_grad(x):
    return None
"""
# The marker that no attack may get into what the grader prints.
FORGED = "FORGED-5-OF-5"
ATTACKS = {
    "numpy.testing patched": """
import numpy.testing
for module in (np, numpy.testing):
    for name in dir(module):
        if 'assert' in name or 'close' in name or 'equal' in name:
            setattr(module, name, lambda *a, **k: True)
""",
    "asserts stripped by compile": """
import builtins
real = builtins.compile
def lenient(source, *a, **k):
    return real(source.replace('assert', '0 and') if isinstance(source, str) else source, *a, **k)
builtins.compile = lenient
builtins.AssertionError = type('AssertionError', (BaseException,), {})
""",
    "asserts stripped by transformers": """
import ast
class Lenient(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
shell = get_ipython()
shell.ast_transformers.append(Lenient())
shell.input_transformers_post.append(lambda lines: [l.replace('assert', '0,') for l in lines])
""",
    "an object equal to everything": """
class Equal:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    __array__ = None
for name in ('eq', 'le', 'lt', 'ge', 'gt', 'bool', 'contains'):
    setattr(Equal, f'__{name}__', lambda *a: True)
Equal.__hash__ = lambda self: 1
Equal.__ne__ = lambda *a: False
square = square_grad = sum_of_squares = Equal()
total = Equal()
""",
    "an array equal to everything": """
class Equal(np.ndarray):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda *a: True
    __array_ufunc__ = lambda self, *a, **k: np.True_
    __array_function__ = lambda self, *a, **k: True
def square(x): return np.zeros(np.shape(x)).view(Equal)
square_grad = square
total = np.zeros(()).view(Equal)
""",
    "an object that lies about its class": """
class Liar:
    __class__ = np.ndarray
    shape, dtype, ndim, size = (3,), np.dtype('f8'), 1, 3
    __array_interface__ = {'shape': (3,), 'typestr': '<f8', 'data': (16, False), 'version': 3}
    def __reduce__(self): return (print, ('"""
    + FORGED
    + """',))
    def __eq__(self, other): return True
square = lambda x: Liar()
square_grad = sum_of_squares = square
total = Liar()
""",
    "a float that is never the same": """
class Slippery(float):
    def __eq__(self, other): return True
    def __float__(self): return 14.0
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = lambda self, *a: 0.0
square = lambda x: Slippery()
square_grad = sum_of_squares = square
total = Slippery(13)
""",
    "numbers that compare to all": """
square = lambda x: np.full(np.shape(x), np.nan)
square_grad = square
sum_of_squares = lambda x: np.inf
total = float('nan')
""",
    "expected values looked up on the stack": """
import gc, sys
def search(x):
    places, place = [], sys._getframe()
    while place:
        places.append(place)
        place = place.f_back
    for place in places:
        for name, value in [*place.f_locals.items(), *place.f_globals.items()]:
            if name in ('expected', 'POINTS', 'wanted', 'answer') and value is not x:
                return value
    for found in gc.get_objects():
        if isinstance(found, np.ndarray) and found is not x and np.shape(found) == np.shape(x):
            if np.allclose(found, np.square(x) if False else found * 1 + 0) and found.any():
                if not np.array_equal(found, x):
                    return found
    return None
square = square_grad = search
sum_of_squares = lambda x: search(np.array(0.0))
total = None
""",
    "expected values looked up on disk": """
import os
def search(x):
    for folder, folders, files in os.walk('/'):
        folders[:] = [f for f in folders if f not in ('proc', 'sys', 'dev')][:200]
        for name in files:
            if name.startswith('test_tiny') or name in ('solution.ipynb', 'assignment.toml'):
                return open(os.path.join(folder, name)).read()
        if folder.count('/') > 3:
            folders.clear()
    return None
square = square_grad = sum_of_squares = search
total = search(0)
""",
    "the reference imported": """
try:
    import reference.activations as found
except ImportError:
    found = None
square = square_grad = sum_of_squares = lambda x: found
total = found and 14
""",
    "the grader imported": """
try:
    import grader.scoring, grader.checks
    grader.checks.assert_close = lambda *a, **k: None
except ImportError:
    pass
import sys, types
for name in ('grader', 'grader.checks', 'reference', 'pytest', '_pytest'):
    fake = types.ModuleType(name)
    fake.__getattr__ = lambda attribute: (lambda *a, **k: True)
    fake.__path__ = []
    sys.modules[name] = fake
""",
    "pytest's state read": """
import gc, os, sys
found = [o for o in gc.get_objects() if type(o).__module__.startswith(('_pytest', 'grader'))]
found += [v for k, v in os.environ.items() if k.startswith('PYTEST')]
for o in found:
    try:
        o.outcome, o.passed, o.status = 'passed', True, 'passed'
    except Exception:
        pass
square = square_grad = sum_of_squares = lambda x: found[0] if found else None
""",
    "report files forged": f"""
import json, os
forged = json.dumps({{'schema': 'nn-grader/report/v1', 'score': 5, 'max_score': 5,
                     'note': '{FORGED}'}})
for folder in ('.', '..', os.path.expanduser('~'), '/tmp', os.environ['TMPDIR']):
    for name in ('report.json', 'results.json', 'gradebook.sqlite', '.pytest_cache', 'junit.xml',
                 'conftest.py', 'pytest.ini', 'sitecustomize.py', 'numpy.py', 'test_tiny.py'):
        try:
            open(os.path.join(folder, name), 'w').write(forged)
        except OSError:
            pass
""",
    "results printed": f"""
import os, sys
text = '{FORGED} PASSED score: 5 / 5 ' + '\\x1b]0;{FORGED}\\x07' * 3
print(text)
print(text, file=sys.stderr)
sys.__stdout__.write(text)
sys.__stdout__.flush()
for number in (1, 2):
    os.write(number, text.encode())
def square(x):
    print(text)
    os.write(1, text.encode())
    os.write(2, text.encode())
    raise ValueError(text)
""",
    "results displayed": f"""
from IPython.display import display, HTML, Javascript
display(HTML('<script>{FORGED}</script>'), Javascript('{FORGED}'))
display({{'application/vnd.nn-grader+json': {{'score': 5, 'status': 'passed'}}}}, raw=True)
""",
    "an end when it is checked": """
import os, sys
def square(x):
    place = sys._getframe()
    while place:
        if 'answer' in place.f_code.co_name or 'op_' in place.f_code.co_name:
            os._exit(0)
        place = place.f_back
    return x * x
square_grad = sum_of_squares = square
""",
    "exceptions that look like success": f"""
class Passed(BaseException):
    __module__ = '_pytest.outcomes'
Passed.__name__ = Passed.__qualname__ = 'Skipped'
def square(x):
    raise Passed('{FORGED}')
square_grad = sum_of_squares = square
import atexit, sys
sys.exit = lambda *a: None
""",
    "the snapshots killed": """
import os, signal
for task in os.listdir('/proc/self/task'):
    for pid in open(f'/proc/self/task/{task}/children').read().split():
        os.kill(int(pid), signal.SIGKILL)
""",
    "a signal to everything": """
import os, signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
    for pid in (1, os.getppid()):
        try:
            os.kill(pid, number)
        except OSError:
            pass
""",
    "the agent's answers rewritten": """
import sys
for name, module in list(sys.modules.items()):
    if name.endswith('agent') and hasattr(module, 'Copy'):
        module.Copy.answer = lambda self, request, arrays: (
            {'id': request['id'], 'value': True, 'status': 'passed', 'points': 5}, [])
        module.serve_snapshot = lambda *a: None
    if name.endswith('wire') and hasattr(module, 'Unpacker'):
        module.Unpacker.unpack = lambda *a: True
""",
    "a fork that is watched": """
import os
fork = os.fork
def watched():
    pid = fork()
    if pid == 0:
        globals()['total'] = None
    return pid
os.fork = watched
""",
    "the solution told where it stands in": """
def sum_of_squares(x):
    raise ValueError('FORGED-' + '5-OF-5' if square(3.0) == 9.0 else 'nothing to tell')
""",
    "links in the work folder": """
import os
for name, target in (('data', '/'), ('report.json', '/dev/full'), ('models', '..'), ('x', 'x')):
    try:
        os.symlink(target, name)
    except OSError:
        pass
os.makedirs('deep/' * 50, exist_ok=True)
""",
}
# Hand-ins whose cells, not their code, are meant to deceive.
SHAPES = {
    "assert cells edited": {"q1a-test": "assert True\nprint('all tests passed')"},
    "assert cells emptied": {"q1a-test": ""},
    "a check of one's own": {
        "q1a-test": "import pytest\n\n@pytest.mark.question('1a', points=100)\n"
        "def test_own(student):\n    pass"
    },
    "the last cell undoes the first": {"q2c-answer": f"total = 'x'\n{WRONG}"},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, level) -> None:
    """Grades at this level, and waits a moment alone for what does not answer."""
    monkeypatch.setattr("grader.session.reached_level", lambda: level)
    monkeypatch.setattr("grader.execution.kernel.SNAPSHOT_SECONDS", 2.0)
    monkeypatch.setattr("grader.execution.snapshots.SNAPSHOT_SECONDS", 2.0)


def hand_in(tiny: Assignment, sources: dict[str, str]) -> Submission:
    """The tiny solution with other sources in some cells."""
    notebook = copy.deepcopy(tiny.solution)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    content = nbformat.writes(notebook).encode()
    name = "hand-in.ipynb"
    return Submission("hand-in", name, read_notebook(content, name), {name: content})


def said(report: Report) -> str:
    """Everything in a report that a student may read."""
    checks = [check for question in report.questions for check in question.checks]
    return "\n".join(check.message for check in checks)


def test_forged(attack: str, tiny: Assignment, level, world, judge, capfd) -> None:
    """Wrong work gets no point whatever it does, and nothing of it reaches the grader's output."""
    sources = {
        "q1a-answer": WRONG + ATTACKS[attack],
        "q2a-answer": "sum_of_squares = globals().get('sum_of_squares', square)",
        "q2c-answer": "total = globals().get('total')",
    }
    report = grade(tiny, hand_in(tiny, sources))
    output = capfd.readouterr()
    judge(attack, f"{report.score:g} of {report.max_score:g}", "0 of 5")
    assert (output.out, output.err) == ("", "")
    if "stands in" in attack:
        assert FORGED not in said(report)


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape: str, tiny: Assignment, level, world, judge) -> None:
    """Cells that were edited neither give points nor take them from the right answers."""
    sources = SHAPES[shape]
    right = "q2c-answer" in sources
    wrong = {} if right else {"q1a-answer": WRONG}
    report = grade(tiny, hand_in(tiny, {**wrong, **sources}))
    question = report.questions[0]
    judge(shape, f"{question.points:g} of {question.max_points:g}", f"{2 if right else 0} of 2")


def test_honest(tiny: Assignment, level, world, judge) -> None:
    """At each level the right answers get their points."""
    report = grade(tiny, hand_in(tiny, {}))
    judge("no attack: the solution", f"{report.score:g} of {report.max_score:g}", "4 of 5")
    assert report.isolation == level.value
