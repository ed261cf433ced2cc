"""`grader new SLUG`: a small assignment that passes its audit, to be changed bit by bit."""

from __future__ import annotations

from grader.authoring.draft import (
    Draft,
    DraftCheck,
    DraftQuestion,
    assignment_files,
    new_cell,
)
from grader.records import QuestionKind

PROMPT = """\
## 1. Linear regression

**(a)** Implement the loss $L(w) = \\frac{1}{2n} \\sum_i (x_i \\cdot w - y_i)^2$ and its gradient.
The rows of `x` are the $n$ samples. *(2 points)*"""
ANSWER = """\
def loss(w, x, y):
    # TODO: the mean of the squared errors, halved
    ### BEGIN SOLUTION
    errors = x @ w - y
    return np.mean(errors**2) / 2
    ### END SOLUTION


def loss_gradient(w, x, y):
    # TODO: the gradient of the loss with respect to w
    ### BEGIN SOLUTION
    errors = x @ w - y
    return x.T @ errors / len(y)
    ### END SOLUTION"""
GIVEN = """\
# try them
rng = np.random.default_rng(1)
x, y = rng.normal(size=(4, 3)), rng.normal(size=4)
print(loss(np.zeros(3), x, y), loss_gradient(np.zeros(3), x, y))"""
WRITTEN = "**(b)** Why is the gradient divided by $n$? *(1 point)*"
BECAUSE = "So that it does not grow with the number of samples."
HELPERS = '''\
W = np.array([0.5, -1.0])
X = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 4.0]])
Y = np.array([-2.5, 0.5, 1.0])


def random_data(n, size):
    """Weights, samples and targets; sizes that differ, so that a mix-up shows."""
    rng = np.random.default_rng(100 + n)
    return rng.normal(size=size), rng.normal(size=(n, size)), rng.normal(size=n)'''
GRADIENT = """\
gradient = student.function("loss_gradient")
own_loss = student.function("loss").as_function(arguments=lambda w: (w, X, Y))
check_gradient(own_loss, lambda w: gradient(w, X, Y), at=W, name="loss_gradient(w, x, y)")"""
BATCHES = """\
for n, size in [(1, 4), (7, 3), (20, 5)]:
    w, x, y = random_data(n, size)
    loss, gradient = student.loss.call(w, x, y), student.loss_gradient.call(w, x, y)
    assert_unchanged(loss, (w, x, y), name="loss")
    assert_unchanged(gradient, (w, x, y), name="loss_gradient")
    errors = x @ w - y
    assert_close(loss.value, np.mean(errors**2) / 2, name="loss(w, x, y)")
    expected = x.T @ errors / n
    tolerance = {"relative_tolerance": 1e-7, "absolute_tolerance": 1e-12}
    assert_close(gradient.value, expected, name="loss_gradient(w, x, y)", **tolerance)"""
VARIANT = """\
# With loops instead of matrix products.

# %% 1a
def loss(w, x, y):
    total = 0.0
    for row, target in zip(x, y):
        total += (sum(a * b for a, b in zip(row, w)) - target) ** 2
    return total / (2 * len(y))


def loss_gradient(w, x, y):
    gradient = np.zeros(len(w))
    for row, target in zip(x, y):
        gradient += (row @ w - target) * row
    return gradient / len(y)
"""
MUTANTS = """\
# Bugs that you have seen, or expect. Each must cost exactly the questions that it names.

[[mutant]]
name = "the loss is not halved"
question = "1a"
find = "np.mean(errors**2) / 2"
replace = "np.mean(errors**2)"
costs = ["1a"]

[[mutant]]
name = "the gradient of the sum"
question = "1a"
find = "x.T @ errors / len(y)"
replace = "x.T @ errors"
costs = ["1a"]
"""
README = """\
# {title}

What is graded, and how: for the instructor.

- `solution.ipynb` is the one source; `grader release` makes the students' notebook from it.
- `checks/` holds the checks, `files/` what students get beside the notebook (there is nothing yet).
- `variants/` holds right answers written differently, `mutants.toml` bugs and what they cost.

After each change: `grader audit .`
"""
IMPORTS = [
    "import numpy as np",
    "import pytest",
    "",
    "from grader.checks import assert_close, assert_unchanged, check_gradient",
]


def scaffold(slug: str) -> dict[str, str]:
    """The files of an assignment with one question for code and one for words."""
    draft = Draft(slug.replace("_", " ").capitalize())
    draft.add(new_cell("markdown", f"# {draft.title}"))
    draft.add(new_cell("code", "import numpy as np"))
    draft.add(new_cell("markdown", PROMPT), "1a", "prompt")
    draft.add(new_cell("code", ANSWER), "1a", "answer")
    draft.add(new_cell("code", GIVEN))
    draft.add(new_cell("markdown", WRITTEN), "1b", "prompt")
    draft.add(new_cell("markdown", BECAUSE), "1b", "answer")
    draft.questions = [
        DraftQuestion(
            "1a", "loss and gradient", QuestionKind.CODE, 2, ["loss", "loss_gradient"], _checks()
        ),
        DraftQuestion("1b", "why the mean", QuestionKind.WRITTEN, 1),
    ]
    draft.imports = [*IMPORTS, "", HELPERS]
    return {
        **assignment_files(draft, slug),
        "variants/loops.py": VARIANT,
        "mutants.toml": MUTANTS,
        "README.md": README.format(title=draft.title),
    }


def _checks() -> list[DraftCheck]:
    return [
        DraftCheck(
            "loss",
            "loss(w, x, y) is right for a small example.",
            'assert_close(student.loss(W, X, Y), 5.0, name="loss(w, x, y)")',
            0.5,
        ),
        DraftCheck(
            "gradient", "loss_gradient(w, x, y) is the gradient of your loss.", GRADIENT, 1.0
        ),
        DraftCheck(
            "other_sizes",
            "Both work for any number of samples, and leave their arguments as they were.",
            BATCHES,
            0.5,
            hidden=True,
        ),
    ]
