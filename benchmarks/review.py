"""How long the review's server takes to open each page of a large batch.

    python benchmarks/review.py [--submissions 500] [--questions 40]

Reports are made up: half of the questions are code with three checks, half are
written answers with formulas. Times are the process's own, server and caller together,
and do not count what is read once when the server starts, which is printed too.
"""

from __future__ import annotations

import argparse
import base64
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from grader.gradebook import ManualScore, open_gradebook
from grader.lms.records import FoundSubmission
from grader.records import (
    AnswerCell,
    CellOutput,
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)
from grader.review.access import Access, Place
from grader.review.app import create_app, read_ahead

LIMIT = 0.3
WORDS = (
    *("the", "loss", "of", "a", "network", "with", "weights", "and"),
    *("layers", "converges", "slowly", "as", "its", "step", "decays"),
)
PLACE = Place("127.0.0.1", 8000, is_local=True)


def written(number: int, generator: random.Random) -> QuestionReport:
    """A written answer of 60 words with formulas, and a picture of 30 kB under some."""
    words = generator.choices(WORDS, k=60)
    step = generator.randrange(100)
    text = " ".join(words) + f".\n\n$$\\frac{{\\partial L}}{{\\partial w_{{{step}}}}} = x^T y$$"
    picture = base64.b64encode(generator.randbytes(30_000)).decode()
    outputs = (CellOutput("image/png", picture),) if number % 4 == 0 else ()
    cells = (AnswerCell(number, "markdown", text), AnswerCell(number, "code", "plot(x)", outputs))
    pending = QuestionStatus.PENDING
    return QuestionReport(
        f"{number}", "why", QuestionKind.WRITTEN, 0.0, 2.0, pending, (number,), answer=cells
    )


def code(number: int, generator: random.Random) -> QuestionReport:
    """A code question with three checks, of which some fail."""
    checks = []
    for place in range(3):
        passes = generator.random() < 0.7
        status = CheckStatus.PASSED if passes else CheckStatus.FAILED
        cause = "" if passes else "student"
        message = "" if passes else f"expected {place}, found {generator.random():.4f}"
        checks.append(
            CheckResult(
                f"test_{number}_{place}",
                "it is right",
                False,
                status,
                passes / 3,
                1 / 3,
                message,
                cause,
            )
        )
    points = sum(check.points for check in checks)
    cells = (AnswerCell(number, "code", "def f(x):\n    return x @ W + b\n" * 10),)
    fields = ("code", QuestionKind.CODE, points, 1.0, QuestionStatus.PARTIAL, (number,))
    return QuestionReport(f"{number}", *fields, tuple(checks), cells)


def fill(folder: Path, submissions: int, questions: int) -> None:
    """A gradebook in which half of the written answers are scored."""
    generator = random.Random(0)  # noqa: S311 - made-up answers
    with open_gradebook(folder, create=True) as book:
        run = book.begin_run("benchmark", {})
        for place in range(submissions):
            identity = f"student-{place}"
            parts = [(code, written)[n % 2](n, generator) for n in range(questions)]
            score = sum(part.points for part in parts)
            record = SubmissionRecord(identity, ("hw.ipynb",), "00")
            fields = (score, questions * 1.5, float(questions), "none", {"python": "3"}, 1.0)
            book.add_submission(FoundSubmission(identity, (), identity))
            book.add_report(run, "k", Report("b", "Benchmark", record, *fields, tuple(parts)))
            for n in range(1, questions, 4):
                book.give(
                    ManualScore(identity, f"{n}", 1.0, "well *argued*", "tom", action="a" * 8)
                )


def timed(call: Callable[[], object]) -> float:
    """Seconds of this process's own time that a call takes: others may use the machine."""
    start = time.process_time()
    call()
    return time.process_time() - start


def pages(client: TestClient, questions: int) -> dict[str, list[str]]:
    """The addresses of each kind of page."""
    text = client.get("/question/2").text
    handles = re.findall(r'href="/student/([0-9a-f]+)"', text)
    numbers = range(1, questions + 1)
    return {
        "first page": ["/"] * 5,
        "a question, its first time": [f"/question/{number}" for number in numbers],
        "a question": [f"/question/{number}" for number in numbers],
        "a later page of it": [f"/question/2?page={page}" for page in range(2, 12)],
        "next that waits": [f"/question/{number}?next=" for number in numbers],
        "list of submissions": ["/students"] * 3,
        "a submission": [f"/student/{handle}" for handle in handles],
        "the class": ["/class"] * 5,
    }


def scoring(client: TestClient) -> list[float]:
    """Seconds for each of some scores."""
    text = client.get("/question/2").text
    token = re.findall(r'name="csrf" value="([^"]+)"', text)[0]
    found = []
    for place, members in enumerate(re.findall(r'name="members" value="([^"]+)"', text)):
        form = {"csrf": token, "members": members, "command": "full", "action": f"bench-{place:04}"}
        found.append(timed(lambda form=form: client.post("/question/2/score", data=form)))
    return found


def main() -> int:
    """Prints a line for each kind of page; fails where a median is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--questions", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, arguments.submissions, arguments.questions)
        access = Access(PLACE)
        app = create_app(folder, access)
        print(f"start: {timed(lambda: read_ahead(app)):.2f} s")
        medians = []
        with TestClient(app, base_url=PLACE.address) as client:
            client.get(f"/enter?token={access.new_link('tom')}")
            for kind, addresses in pages(client, arguments.questions).items():
                found = [timed(lambda a=address: client.get(a)) for address in addresses]
                medians.append(statistics.median(found))
                print(f"{kind}: median {medians[-1] * 1e3:.0f} ms, worst {max(found) * 1e3:.0f} ms")
            found = scoring(client)
            medians.append(statistics.median(found))
            print(f"a score: median {medians[-1] * 1e3:.0f} ms, worst {max(found) * 1e3:.0f} ms")
            medians.append(timed(lambda: client.get("/class")))
            print(f"the class, after a new score: {medians[-1] * 1e3:.0f} ms")
    return int(max(medians) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
