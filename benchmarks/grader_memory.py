"""Peak memory of the grader's own process while it grades notebooks that aim at it.

    python benchmarks/grader_memory.py [CASE ...] [--limit 200]

Each case plants answers in the tiny assignment of the tests and is graded in a
process of its own. The peak is VmHWM of that process: the sandbox's processes
have limits of their own and are not counted.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from grader.assignment import load_assignment
from grader.pipeline import grade
from grader.reports import render_instructor, render_student, to_json
from grader.submission import Submission, read_notebook

TINY = Path(__file__).parents[1] / "tests" / "tiny"
CASE_SECONDS = 300
SQUARE = "def square(x):\n    return {}\n\ndef square_grad(x):\n    return 2 * x\n"
# Writes to every socket of the copy: a frame as the agent would send it, but for its content.
FORGED = """
import os, struct
def square(x):
    header = {header}
    frame = struct.pack(">4sIQ", b"NNG1", len(header), {body}) + header
    for descriptor in range(3, 8):
        try:
            os.set_blocking(descriptor, True)
            os.write(descriptor, frame)
            for _ in range({body} >> 20):
                os.write(descriptor, bytes(1 << 20))
        except OSError:
            pass
    return x
"""
CASES = {
    "nothing unusual": "def square(x):\n    return x * x\n\ndef square_grad(x):\n    return 2 * x",
    "prints 200 MB at once": "print('x' * (200 << 20))",
    "prints 200 MB in lines": "for _ in range(200):\n    print('x' * (1 << 20))",
    "prints 200 MB in short lines": "for _ in range(2_000_000):\n    print('x' * 99)",
    "writes 200 MB to descriptor 1": (
        "import os\nfor _ in range(200):\n    os.write(1, b'x' * (1 << 20))"
    ),
    "raises with 200 MB": "raise ValueError('x' * (200 << 20))",
    "displays 300 MB": (
        "from IPython.display import display, HTML\ndisplay(HTML('x' * (300 << 20)))"
    ),
    "displays 30 MB 20 times": (
        "from IPython.display import display, HTML\n"
        "for _ in range(20):\n    display(HTML('x' * (30 << 20)))"
    ),
    "displays 28 MB with an emoji": (
        "from IPython.display import display, HTML\n"
        "for _ in range(5):\n    display(HTML('\\U0001f600' + 'x' * (28 << 20)))"
    ),
    "displays 30 MB of lists": (
        "from IPython.display import display\n"
        "display({'application/json': [[]] * (7 << 20)}, raw=True)"
    ),
    "displays 20 000 small things": (
        "from IPython.display import display\nfor i in range(20_000):\n    display(i)"
    ),
    "an array of 240 MB": SQUARE.format("np.zeros(30_000_000)"),
    "an array of 3 GB of zeros": SQUARE.format("np.broadcast_to(1.0, (400_000_000,))"),
    "240 MB in eight arrays": SQUARE.format("tuple(np.zeros(3_750_000) for _ in range(8))"),
    "a list of 10 million": SQUARE.format("[1.5] * 10_000_000"),
    "lists of 190 000 texts": SQUARE.format("['abcdefgh' * 4] * 190_000"),
    "a text of 100 MB": SQUARE.format("'x' * 100_000_000"),
    "a list nested 100 000 deep": (
        "def square(x):\n    y = []\n    for _ in range(100_000):\n        y = [y]\n    return y"
    ),
    "a forged frame of 8 MB of lists": FORGED.format(
        header="""b'{"arrays": [], "content": [' + b'[],' * 2_700_000 + b'[]]}'""", body=0
    ),
    "a forged frame of dicts": FORGED.format(
        header="""b'{"arrays": [], "content": [' + b'{"":0},' * 1_150_000 + b'0]}'""", body=0
    ),
    "a forged frame with a body of 256 MB": FORGED.format(
        header="""b'{"arrays": [["uint8", [268435456]]], "content": 0}'""", body=256 << 20
    ),
    "an emoji in a forged header": FORGED.format(
        header="""b'{"arrays": [], "content": "\\xf0\\x9f\\x98\\x80' + b'x' * 8_000_000 + b'"}'""",
        body=0,
    ),
}


def hand_in(source: str) -> Submission:
    """The tiny solution with `source` in place of its first answer."""
    notebook = copy.deepcopy(load_assignment(TINY).solution)
    for cell in notebook.cells:
        if cell.id == "q1a-answer":
            cell.source = source
    content = nbformat.writes(notebook).encode()
    return Submission("aimed", "aimed.ipynb", read_notebook(content, "aimed.ipynb"), {})


def grade_case(name: str) -> None:
    """Grades one case in this process and prints the peak, the score and the seconds as JSON."""
    start = time.monotonic()
    report = grade(TINY, hand_in(CASES[name]))
    pages = (to_json(report), render_instructor(report), render_student(report))
    seconds = time.monotonic() - start
    size = max(len(page) for page in pages)
    status = report.questions[0].status
    print(json.dumps([peak_megabytes(), report.score, status, seconds, size / 2**20]))


def peak_megabytes() -> float:
    """This program's peak; ru_maxrss would count what it was forked from as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    if found is None:
        raise SystemExit("this system does not tell a process's peak memory")
    return int(found[1]) / 1024


def main() -> None:
    """Prints a table; exit code 1 where a case exceeds the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="parts of names; default: all")
    parser.add_argument("--limit", type=float, default=200.0, help="MB")
    parser.add_argument("--inside", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        grade_case(options.inside)
        return
    names = [n for n in CASES if not options.cases or any(part in n for part in options.cases)]
    print(f"{'':38}{'peak MB':>9}{'page MB':>9}{'score':>7}  {'question':13}{'seconds':>8}")
    kept = [run_case(name, options.limit) for name in names]
    print(f"{kept.count(False)} of {len(kept)} beyond {options.limit:g} MB or without a report")
    sys.exit(0 if all(kept) else 1)


def run_case(name: str, limit: float) -> bool:
    """Grades a case in a process of its own; whether it kept to the limit."""
    command = [sys.executable, "-W", "ignore", __file__, "--inside", name]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=CASE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"{name:38}{'':9} no report within {CASE_SECONDS} s", flush=True)
        return False
    if run.returncode:
        reason = (run.stderr.splitlines() or [f"exit code {run.returncode}"])[-1]
        print(f"{name:38}{'':9} no report: {reason[:100]}", flush=True)
        return False
    peak, score, status, seconds, size = json.loads(run.stdout.splitlines()[-1])
    mark = "" if peak <= limit else "  TOO MUCH"
    print(f"{name:38}{peak:9.0f}{size:9.1f}{score:7g}  {status:13}{seconds:8.1f}{mark}", flush=True)
    return peak <= limit


if __name__ == "__main__":
    main()
