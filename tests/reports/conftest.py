"""A report with every status, and with what hostile students and clumsy authors write."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import pytest

from grader.records import (
    AnswerCell,
    CellOutput,
    CellRun,
    CellStatus,
    CheckResult,
    CheckStatus,
    Diagnosis,
    GradientElement,
    GradientEvidence,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Repair,
    Report,
    SubmissionRecord,
)

HOSTILE_MARKDOWN = """# <script>alert(1)</script> My answer
<img src=x onerror=alert(2)> [click](javascript:alert(3)) ![p](https://evil.example/p.png)
</style></main><h1 onclick="alert(4)">Full marks</h1>

$\\href{javascript:alert(5)}{x}$ and $\\text{<script>alert(6)</script>}$
"""

MATH = r"""For $\tanh(t)$ it is $\frac{\partial \tanh(t)}{\partial t} = 1 - \tanh^2(t)$, so

$$g'(t) = \begin{cases} \alpha & \text{if } t < 0 \\ 1 & \text{else} \end{cases}$$

\begin{align}
\nabla_{\mathbf{V}}\mathcal{H} &= \mathbf{h} \cdot \nabla_{\mathbf{z}}\mathcal{H}^T \\
\nabla_{\mathbf{c}}\mathcal{H} &= \sum_{k=1}^K \hat{p}_k - p_k
\end{align}

| rate | loss |
|---|---|
| 0.1 | $10^{-3}$ |

See [a page](https://docs.example/), `np.dot(A, B)` and **more**.
"""

CODE = '''class Linear:
    """A layer that computes y = x W + b."""

    def forward(self, x):
        # keep x for the backward pass
        self.x = x
        return x @ self.W + self.b * 1.0  # </code><script>alert(7)</script>
'''


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png() -> str:
    rows = b"".join(
        b"\0" + bytes((x * 2 if y % 20 else 0) % 256 for x in range(120)) for y in range(80)
    )
    header = struct.pack(">IIBBBBB", 120, 80, 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()


@pytest.fixture(scope="session")
def png() -> str:
    """A small grey picture, in base64."""
    return _png()


@pytest.fixture(scope="session")
def evidence() -> GradientEvidence:
    """A gradient with right, wrong and undefined elements."""
    points = [(math.sin(k), math.sin(k) * (1.5 if k % 4 == 0 else 1)) for k in range(40)]
    return GradientEvidence(
        worst=(
            GradientElement((0, 3), math.nan, 0.25, math.nan),
            GradientElement((4, 1), -1.5e-8, 2.25, 1.0),
            GradientElement((2,), math.inf, -math.inf, math.inf),
            GradientElement((), 0.3333333333, 0.5, 0.3333),
        ),
        points=(*points, (math.nan, 1.0)),
        relative_tolerance=1e-5,
        evaluations=164,
    )


def _passing() -> QuestionReport:
    return QuestionReport(
        id="1.1a",
        title="Gradient descent updates",
        kind=QuestionKind.CODE,
        points=1.0,
        max_points=1.0,
        status=QuestionStatus.PASSED,
        cells=(10,),
        checks=(
            CheckResult(
                "test_updates",
                "x and y move against the gradient.",
                False,
                CheckStatus.PASSED,
                1.0,
                1.0,
            ),
        ),
        answer=(AnswerCell(10, "code", CODE, (CellOutput("text/plain", "\x1b[31m0.5\x1b[0m"),)),),
    )


def _partial(evidence: GradientEvidence) -> QuestionReport:
    """A wrong gradient, a hidden failure and an infrastructure fault in one question."""
    wrong_sign = Diagnosis("wrong_sign", "The gradient has the opposite sign.", 0.98)
    secret = Diagnosis("secret_code", "SECRET diagnosis.", 0.5)
    return QuestionReport(
        id="1.2b",
        title="The sigmoid and its gradient <b>bold</b>",
        kind=QuestionKind.CODE,
        points=1.5,
        max_points=3.0,
        status=QuestionStatus.PARTIAL,
        cells=(17, 18),
        checks=(
            CheckResult(
                "test_sigmoid",
                "sigmoid(x) is 1 / (1 + exp(-x)).",
                False,
                CheckStatus.PASSED,
                1.5,
                1.5,
            ),
            CheckResult(
                "test_sigmoid_gradient",
                "sigmoid_grad(x) is the derivative of your sigmoid(x).",
                False,
                CheckStatus.FAILED,
                0.0,
                0.5,
                "1 of 40 elements differs: analytic 0.3, numeric -0.3\nat x = <img onerror=1>",
                "student",
                wrong_sign,
                evidence,
            ),
            CheckResult(
                "test_secret_extremes",
                "SECRET description.",
                True,
                CheckStatus.FAILED,
                0.0,
                1.0,
                "SECRET message",
                "student",
                secret,
                evidence,
            ),
        ),
        answer=(
            AnswerCell(17, "code", CODE),
            AnswerCell(
                18,
                "code",
                "%matplotlib inline\nplot()",
                (
                    CellOutput("image/png", _png()),
                    CellOutput("image/png", "not base64!"),
                    CellOutput(
                        "image/svg+xml",
                        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(8)</script></svg>",
                    ),
                    CellOutput("text/html", "<script>alert(9)</script>"),
                    CellOutput("text/plain", "start " + "x" * 100_000 + " end"),
                ),
            ),
        ),
        notes=("Cell 17 was taken by its name <sigmoid>.", "test_secret_extremes ran twice."),
    )


def _failing() -> QuestionReport:
    return QuestionReport(
        id="1.4a",
        title="Linear",
        kind=QuestionKind.CODE,
        points=0.0,
        max_points=3.0,
        status=QuestionStatus.FAILED,
        cells=(65,),
        checks=(
            CheckResult(
                "test_forward",
                "forward computes y = x W + b.",
                False,
                CheckStatus.ERROR,
                0.0,
                1.0,
                "ValueError: shapes (5,7) and (3,) not aligned </style><script>alert(10)</script>",
                "student",
            ),
            CheckResult(
                "test_step",
                "step moves the weights.",
                False,
                CheckStatus.TIMEOUT,
                0.0,
                1.0,
                "It did not finish within 20 s.",
                "student",
            ),
            CheckResult(
                "test_backward",
                "backward builds on forward.",
                False,
                CheckStatus.SKIPPED,
                0.0,
                1.0,
                "",
                "prerequisite",
            ),
        ),
        answer=(AnswerCell(65, "raw", "raw <b>cell</b>"),),
    )


def _by_hand() -> tuple[QuestionReport, ...]:
    return (
        QuestionReport(
            "1.2d",
            "Why do the two values differ?",
            QuestionKind.WRITTEN,
            0.0,
            2.0,
            QuestionStatus.PENDING,
            (41, 42),
            (),
            (AnswerCell(41, "markdown", MATH), AnswerCell(42, "markdown", HOSTILE_MARKDOWN)),
        ),
        QuestionReport(
            "1.6b",
            "Train the network and plot the loss",
            QuestionKind.PLOT,
            0.0,
            1.0,
            QuestionStatus.PENDING,
            (83,),
            (),
            (AnswerCell(83, "code", "train()", (CellOutput("image/png", _png()),)),),
        ),
    )


def _others() -> tuple[QuestionReport, ...]:
    broken = CheckResult(
        "test_relu",
        "relu is max(0, x).",
        False,
        CheckStatus.INCONCLUSIVE,
        0.0,
        2.0,
        "AttributeError in the check's own line 12",
        "author",
    )
    return (
        QuestionReport(
            "1.3a", "A one-layer model", QuestionKind.CODE, 0.0, 2.0, QuestionStatus.NOT_ATTEMPTED
        ),
        QuestionReport(
            "1.2f",
            "ReLU and its gradient",
            QuestionKind.CODE,
            0.0,
            2.0,
            QuestionStatus.UNGRADED,
            (45,),
            (broken,),
            (AnswerCell(45, "code", "relu = None"),),
        ),
        QuestionReport("1.7z", "For practice", QuestionKind.CODE, 0.0, 0.0, QuestionStatus.PASSED),
    )


@pytest.fixture(scope="session")
def report(evidence: GradientEvidence) -> Report:
    """One submission in which everything happened."""
    return Report(
        assignment="radboud_a1",
        title="Deep Learning, assignment 1",
        submission=SubmissionRecord(
            "s1234567 <script>alert(11)</script>", ("assignment1.ipynb", "data.npz"), "0f" * 32
        ),
        score=2.5,
        max_score=14.0,
        pending=5.0,
        isolation="namespaces",
        environment={"python": "3.11.7", "numpy": "2.1.0"},
        seconds=1.234,
        questions=(_passing(), _partial(evidence), _failing(), *_by_hand(), *_others()),
        execution=(
            CellRun(3, CellStatus.OK, 0.01),
            CellRun(65, CellStatus.ERROR, 0.2, "NameError: name 'np' is not defined"),
            CellRun(71, CellStatus.TIMEOUT, 120.0, "stopped after 120 s"),
            CellRun(72, CellStatus.SKIPPED, 0.0),
        ),
        notes=("Handed in as a .zip; its notebook was taken.", "SECRET message in a note"),
        repairs=(
            Repair("commands", "`!pip install <b>x</b>` was not run", (3, 65)),
            Repair("names", "numpy.int is int here", (), ("utils.py",)),
        ),
    )
