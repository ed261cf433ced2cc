"""Using more than a submission may, and printing more than the grader can hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.execution.isolation import Level

MEGABYTES_OF_GRADER = 200
MEMORY = r"ended the kernel \(the submission used more memory than it may\)"
DISK = r"ended the kernel \(the submission used more disk than it may\)"
KILLED = "did not stop after 1 s and ignored the interrupt, so it was killed"
STOPPED = "did not finish within 1 s and was interrupted"
ALONE = {
    "a large array": (
        """
        import numpy as np
        return np.ones(4 << 30, np.uint8)
        """,
        "_ArrayMemoryError|MemoryError",
    ),
    "much memory in one process": (
        """
        held = []
        for _ in range(60):
            held.append(bytearray(os.urandom(1 << 20) * 16))
            time.sleep(0.02)
        time.sleep(5)
        return 'held'
        """,
        MEMORY,
    ),
    "much memory in many processes": (
        """
        for _ in range(12):
            if os.fork() == 0:
                held = bytearray(os.urandom(1 << 20) * 80)
                time.sleep(float(MARK))
        time.sleep(5)
        return 'held'
        """,
        MEMORY,
    ),
    "much memory in an orphan": (
        """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                held = []
                for _ in range(60):
                    held.append(bytearray(os.urandom(1 << 20) * 16))
                    time.sleep(0.02)
                time.sleep(float(MARK))
            os._exit(0)
        time.sleep(5)
        return 'left'
        """,
        MEMORY,
    ),
    "memory without a process": (
        """
        held = []
        for _ in range(20):
            descriptor = os.memfd_create('held')
            held.append(descriptor)
            os.write(descriptor, bytes(32 << 20))
        return 'held'
        """,
        "EPERM",
    ),
    "memory in a shared folder": (
        """
        for number in range(20):
            with open(f'/dev/shm/{number}', 'wb') as file:
                file.write(bytes(16 << 20))
        return 'held'
        """,
        "ENOSPC|EACCES|ENOENT",
    ),
    "a fork bomb": (
        """
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.001)
        """,
        f"{KILLED}|{STOPPED}|KeyboardInterrupt|{MEMORY}|ended the kernel .*",
    ),
    "a bomb of threads": (
        """
        import threading
        made = 0
        try:
            while made < 1000:
                threading.Thread(target=time.sleep, args=(1.0,), daemon=True).start()
                made += 1
        except RuntimeError:
            pass
        return made < 1000
        """,
        "True",
    ),
    "a bomb of descriptors": (
        """
        opened = []
        try:
            while True:
                opened.append(os.open('/dev/null', os.O_RDONLY))
        finally:
            for descriptor in opened:
                os.close(descriptor)
        """,
        "EMFILE",
    ),
    "one large file": (
        """
        with open('large', 'wb') as file:
            for _ in range(12):
                file.write(bytes(16 << 20))
        return 'wrote'
        """,
        "EFBIG|ENOSPC|.*more disk than it may.*",
    ),
    "many large files": (
        """
        for number in range(20):
            with open(f'large{number}', 'wb') as file:
                file.write(bytes(16 << 20))
        time.sleep(5)
        return 'wrote'
        """,
        f"ENOSPC|{DISK}",
    ),
    "a large file without a name": (
        """
        held = []
        for number in range(20):
            held.append(open('large', 'wb'))
            held[-1].write(bytes(16 << 20))
            os.remove('large')
        time.sleep(5)
        return 'wrote'
        """,
        f"ENOSPC|{DISK}",
    ),
    "many small files": (
        """
        for number in range(8000):
            open(f'small{number}', 'w').close()
        time.sleep(5)
        return 'made'
        """,
        f"ENOSPC|{DISK}",
    ),
    "a loop without end": ("while True: pass", f"{STOPPED}|KeyboardInterrupt"),
    "a loop that ignores signals": (
        """
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
        """,
        KILLED,
    ),
    "a loop below Python": (
        "ctypes.PyDLL(None).sleep(1000)",
        f"{KILLED}|{STOPPED}|KeyboardInterrupt",
    ),
    "a kernel that stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", KILLED),
    "a crash": ("ctypes.string_at(0)", r"ended the kernel \(an exit or a crash\)"),
    "too deep a recursion": ("return (lambda f: f(f))(lambda f: f(f))", "RecursionError"),
}
# Cells that print or display, and what the grader must not keep of it.
OUTPUTS = {
    "print without end": "while True:\n    print('x' * 100_000)",
    "write past the kernel": "while True:\n    os.write(1, b'x' * 100_000)",
    "display a large object": (
        "from IPython.display import display\n"
        "display({'application/octet-stream': b'x' * (100 << 20)}, raw=True)"
    ),
    "display nested JSON": (
        "session = get_ipython().kernel.session\n"
        "deep = b'[' * 500_000 + b']' * 500_000\n"
        "pack, session.pack = session.pack, lambda value: deep\n"
        "for kind in ('display_data', 'stream', 'error', 'status', 'comm_open'):\n"
        "    session.send(get_ipython().kernel.iopub_socket, kind, {})\n"
        "session.pack = pack"
    ),
    "flood the channel": (
        "session = get_ipython().kernel.session\n"
        'text = b\'{"name":"stdout","text":"\' + b\'x\' * (24 << 20) + b\'"}\'\n'
        "def flood():\n"
        "    pack, session.pack = session.pack, lambda v: text if v == {} else pack(v)\n"
        "    for _ in range(60):\n"
        "        session.send(get_ipython().kernel.iopub_socket, 'stream', {})\n"
        "    session.pack = pack\n"
        "flood()"
    ),
    "attach buffers": (
        "from comm import create_comm\n"
        "for _ in range(30):\n"
        "    create_comm(data={'state': {}, 'buffer_paths': [['a']]}, buffers=[bytes(8 << 20)])"
    ),
    "update a display for ever": (
        "from IPython.display import display\n"
        "handle = display('x', display_id=True)\n"
        "while True:\n"
        "    handle.update('x' * 100_000)"
    ),
    "lie about the message": (
        "session = get_ipython().kernel.session\n"
        "for kind in ('status', 'stream', 'error', 'display_data', 'clear_output', 'x', 3, None):\n"
        "    for content in ({}, [], 'x', None, {'execution_state': 3}, {'text': 7, 'name': 8}):\n"
        "        session.send(get_ipython().kernel.iopub_socket, {'header': {}, 'msg_type': kind,\n"
        "            'msg_id': 'x', 'parent_header': session.parent if hasattr(session, 'parent')\n"
        "            else {}, 'content': content, 'metadata': {}})\n"
    ),
}


def test_alone(alone: str, outcome_of, few, judge) -> None:
    """A limit that is reached ends what reached it, and is named."""
    patient = "memory" in alone or "file" in alone
    limits = replace(few, cell=10.0) if patient else few
    judge(alone, outcome_of(ALONE[alone][0], limits), ALONE[alone][1])


@pytest.mark.parametrize("output", OUTPUTS)
def test_output(output: str, run_hostile, few, judge, level: Level) -> None:
    """Whatever a cell prints or displays, the grader stays small and goes on."""
    before = _peak(reset=True)
    ran = run_hostile(OUTPUTS[output], "say('goes on')", limits=replace(few, memory=900 << 20))
    grown = _peak() - before
    kept = sum(len(str(cell.get("outputs", ""))) for cell in ran.execution.notebook.cells)
    judge(output, f"kept {kept >> 20} MB, then {ran.outcome(2)}", r"kept [0-4] MB, then .*")
    assert grown < MEGABYTES_OF_GRADER


def _peak(*, reset: bool = False) -> int:
    """The most memory that this process has held since the last reset, in megabytes."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
