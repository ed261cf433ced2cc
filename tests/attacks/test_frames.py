"""Frames that a submission writes itself on the socket to the grader."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import GraderError, StudentFault
from grader.execution.answered import AnsweredQuestion
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.execution.student import Student

SECONDS = 2.0
MEGABYTES_OF_GRADER = 200
# What the cells need: the socket of the copy they run in, and how a frame looks.
TOOLS = """
import array, json, os, pickle, socket, struct, sys, time
import numpy as np

def wire():
    for number in range(3, 64):
        try:
            found = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        if found.family == socket.AF_UNIX:
            found.settimeout(None)
            return found

def frame(header, body=b'', sizes=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    sizes = sizes or (len(header), len(body))
    return struct.pack('>4sIQ', b'NNG1', *sizes) + header + body

def request():
    place = sys._getframe()
    while place:
        if isinstance(place.f_locals.get('request'), dict):
            return place.f_locals['request']
        place = place.f_back

def answer(value, arrays=(), body=b''):
    content = {'id': request()['id'], 'value': value}
    return frame({'content': content, 'arrays': list(arrays)}, body)

def send(*pieces):
    sock = wire()
    for piece in pieces:
        sock.sendall(piece)
    time.sleep(30)
"""
CALL = '{"$": "tuple", "v": []}'
UNREADABLE, DIED, LATE = "UnreadableAnswer", "StudentDied", "StudentTimeout"
FRAMES = {
    "no frame at all": ("send(b'GET / HTTP/1.1' * 10)", UNREADABLE),
    "a pickle": ("send(pickle.dumps({'score': 5}) * 10)", UNREADABLE),
    "a pickle in a frame": ("send(frame(pickle.dumps({'content': 1, 'arrays': []})))", UNREADABLE),
    "a header of 4 GB": ("send(frame(b'{}', sizes=(2**32 - 1, 0)))", UNREADABLE),
    "a body of 16 EB": ("send(frame(b'{}', sizes=(2, 2**64 - 1)))", UNREADABLE),
    "a body that never comes": (
        "send(frame({'content': 1, 'arrays': []}, b'x', sizes=(28, 200 << 20)))",
        f"{LATE}|{UNREADABLE}",
    ),
    "nested JSON": ("send(frame(b'[' * 200_000 + b']' * 200_000))", UNREADABLE),
    "JSON that is no JSON": ("send(frame(b'\\xff{]' * 100))", UNREADABLE),
    "a header of many lists": ("send(frame(b'[' + b'[],' * (2 << 20) + b'[]]'))", UNREADABLE),
    "not a number": ('send(frame(b\'{"content": NaN, "arrays": []}\'))', UNREADABLE),
    "a long integer": (
        "send(frame(b'{\"content\": ' + b'9' * 100_000 + b', \"arrays\": []}'))",
        UNREADABLE,
    ),
    "other fields": ("send(frame({'content': 1, 'arrays': [], 'score': 5}))", UNREADABLE),
    "no array of that number": (
        "send(answer({'value': {'$': 'array', 'v': 7}, 'arguments': []}))",
        UNREADABLE,
    ),
    "an array larger than its body": (
        "send(answer(1, [['float64', [1 << 20]]], bytes(8)))",
        UNREADABLE,
    ),
    "a body larger than its arrays": ("send(answer(1, [['float64', [1]]], bytes(80)))", UNREADABLE),
    "a shape that overflows": (
        "send(answer(1, [['float64', [1 << 27, 1 << 27, 1 << 27]]], bytes(8)))",
        UNREADABLE,
    ),
    "an empty array of a huge shape": (
        "send(answer(1, [['float64', [0, 1 << 27, 1 << 27, 1 << 27]]]))",
        UNREADABLE,
    ),
    "a negative shape": ("send(answer(1, [['float64', [-1]]], bytes(8)))", UNREADABLE),
    "an array of objects": ("send(answer(1, [['O', [1]]], bytes(8)))", UNREADABLE),
    "a structured type": ("send(answer(1, [['i4,(3)f8', [1]]], bytes(28)))", UNREADABLE),
    "many empty arrays": ("send(answer(1, [['bool', [0]]] * 250_000))", UNREADABLE),
    "an unknown kind of value": ("send(answer({'$': 'eval', 'v': '1 + 1'}))", UNREADABLE),
    "a dict with a list for a key": (
        "send(answer({'$': 'dict', 'k': [[1]], 'v': [1]}))",
        UNREADABLE,
    ),
    "keys of one hash": (
        """
        keys = [{'$': 'int', 'v': str(1 + i * (2**61 - 1))} for i in range(20_000)]
        send(answer({'$': 'dict', 'k': keys, 'v': keys}))
        """,
        UNREADABLE,
    ),
    "another's answer": (
        "send(frame({'content': {'id': 'x', 'value': 1}, 'arrays': []}))",
        UNREADABLE,
    ),
    "a verdict": (
        """
        content = {'id': request()['id'], 'status': 'passed', 'points': 5}
        send(frame({'content': content, 'arrays': []}))
        """,
        UNREADABLE,
    ),
    "an error that is no error": (
        "send(frame({'content': {'id': request()['id'], 'error': 5}, 'arrays': []}))",
        UNREADABLE,
    ),
    "an error of one's own": (
        r"""
        error = {'kind': 'passed', 'type': '\ud800', 'text': ['x'], 'where': None}
        send(frame({'content': {'id': request()['id'], 'error': error}, 'arrays': []}))
        """,
        "StudentRaised",
    ),
    "half a frame": ("wire().sendall(frame({'content': 1, 'arrays': []})[:20]); os._exit(0)", DIED),
    "a slow frame": (
        "for byte in answer(1): wire().sendall(bytes([byte])); time.sleep(0.2)",
        LATE,
    ),
    "no answer": ("time.sleep(30)", LATE),
    "a descriptor": (
        "socket.send_fds(wire(), [answer(1)], [1, 2]); time.sleep(30)",
        UNREADABLE,
    ),
    "many frames": (
        "send(*[frame({'content': i, 'arrays': []}) for i in range(5000)])",
        UNREADABLE,
    ),
    "every descriptor closed": ("os.closerange(0, 65536)", DIED),
    "the end of the process": ("os._exit(0)", DIED),
    "another function for packing": (
        """
        wire_module = sys.modules['nn_grader_inside.wire']
        wire_module.Packer.pack = lambda self, value, depth=0: {'$': 'x'}
        """,
        UNREADABLE,
    ),
    "another function for answering": (
        """
        import gc
        for found in gc.get_objects():
            if type(found).__name__ == 'Copy' and hasattr(found, 'namespace'):
                type(found).answer = lambda *a: ({'status': 'passed'}, [])
        return 1
        """,
        # The operation itself has begun, so its answer still goes the old way.
        f"1|{UNREADABLE}",
    ),
    "an array of 300 MB": ("return np.zeros(300 << 20, np.uint8)", UNREADABLE),
    "a value that is nested": (
        "value = []\nfor _ in range(1000): value = [value]\nreturn value",
        UNREADABLE,
    ),
    "a value with many parts": ("return [0] * 1_000_000", UNREADABLE),
    "a value that contains itself": (
        "value = []\nvalue.append(value)\nreturn value",
        UNREADABLE,
    ),
    "an error with much to say": ("raise ValueError('x' * (300 << 20))", "StudentRaised"),
    "an error that cannot be said": (
        "raise type('E', (Exception,), {'__str__': lambda self: os._exit(0)})()",
        DIED,
    ),
}


def as_function(number: int, body: str) -> str:
    """A function of the student's with this body."""
    return f"def f{number}():\n{textwrap.indent(textwrap.dedent(body), '    ')}"


@pytest.fixture(scope="module")
def answers(level, world, wide):
    """A snapshot with a function for each frame, and a way to ask one of them."""
    sources = [TOOLS, *(as_function(i, body) for i, (body, _) in enumerate(FRAMES.values()))]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    with Room({}, "hand-in.ipynb") as room:
        execution = run_notebook(notebook, [len(sources)], room, wide, level=level)
        assert [run.error for run in execution.cells if run.error] == []
        snapshot = execution.snapshots[len(sources)]
        question = AnsweredQuestion(None, snapshot, (), "", SECONDS)
        yield lambda frame: _ask(Student(question), f"f{list(FRAMES).index(frame)}")
        execution.close()


def _ask(student: Student, name: str) -> str:
    """What the grader makes of a function's answer."""
    try:
        value = student[name]()
        return "array" if isinstance(value, np.ndarray) else repr(value)
    except StudentFault as error:
        return type(error).__name__
    finally:
        student.close()


@pytest.mark.parametrize("frame", FRAMES)
def test_frame(frame: str, answers, judge) -> None:
    """Whatever arrives, it is one value or one fault of the student's, in time and in bounds."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    judge(frame, answers(frame), FRAMES[frame][1])
    assert _status("VmHWM") - before < MEGABYTES_OF_GRADER


def _status(name: str) -> int:
    """A figure of this process's, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


# What stands in the notebook's cell and spoils the kernel's own descriptors.
KERNEL = {
    "every descriptor of the kernel closed": "os.closerange(3, 65536)",
    "the control socket drained": (
        "for number in range(3, 64):\n"
        "    try:\n"
        "        sock = socket.socket(fileno=os.dup(number))\n"
        "        sock.setblocking(False)\n"
        "        sock.sendall(frame({'content': {'ready': True}, 'arrays': []}))\n"
        "    except OSError:\n"
        "        pass"
    ),
    "a snapshot that is not the agent's": (
        "def forge(*a):\n"
        "    _, found, *_ = socket.recv_fds(control, 1, 1)\n"
        "    sock = socket.socket(fileno=found[0])\n"
        "    sock.sendall(frame({'content': {'ready': True, 'score': 5}, 'arrays': []}))\n"
        "    sock.sendall(frame({'content': {'copy': True}, 'arrays': []}))\n"
        "    globals().setdefault('kept', []).append(sock)\n"
        "import gc\n"
        "for found in gc.get_objects():\n"
        "    if type(found) is socket.socket and found.family == socket.AF_UNIX:\n"
        "        if not found.getsockname() and found.type == socket.SOCK_STREAM:\n"
        "            control = found\n"
        "get_ipython().kernel.shell_handlers['nn_snapshot_request'] = forge"
    ),
    "another os.fork": "os.fork = lambda: 12345",
    "an os.fork that raises": "def fork(): raise OSError('no')\nos.fork = fork",
    "no os.fork": "del os.fork",
    "a fork that runs its own code": (
        "fork = os.fork\n"
        "def fork_first():\n"
        "    pid = fork()\n"
        "    if pid == 0:\n"
        "        wire().sendall(frame({'content': {'ready': True}, 'arrays': []}))\n"
        "    return pid\n"
        "os.fork = fork_first"
    ),
    "another wire": (
        "module = sys.modules['nn_grader_inside.wire']\n"
        "module.send = module.receive = lambda *a: ({'op': 'copy'}, [])"
    ),
    "the snapshots killed": (
        "import signal\n"
        "for task in os.listdir('/proc/self/task'):\n"
        "    for pid in open(f'/proc/self/task/{task}/children').read().split():\n"
        "        os.kill(int(pid), signal.SIGKILL)"
    ),
}


@pytest.mark.parametrize("kernel", KERNEL)
def test_kernel(kernel: str, level, world, wide, judge, monkeypatch) -> None:
    """A kernel that is turned against its agent loses its state, and the grader goes on."""
    monkeypatch.setattr("grader.execution.kernel.SNAPSHOT_SECONDS", 2.0)
    monkeypatch.setattr("grader.execution.snapshots.SNAPSHOT_SECONDS", 2.0)
    cells = [new_code_cell(source) for source in (TOOLS, KERNEL[kernel], "score = 5")]
    with Room({}, "hand-in.ipynb") as room:
        limits = replace(wide, cell=2.0)
        execution = run_notebook(new_notebook(cells=cells), [1, 3], room, limits, level=level)
        snapshot = execution.snapshots.get(3)
        question = AnsweredQuestion(None, snapshot, (), "", SECONDS, lost="lost", by_student=True)
        student = Student(question)
        try:
            outcome = repr(student.score)
        except GraderError as error:
            outcome = type(error).__name__
        finally:
            student.close()
            execution.close()
    judge(kernel, outcome, f"5|ExecutionFault|{DIED}|{UNREADABLE}|{LATE}|MissingName")
