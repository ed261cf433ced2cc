"""How often gradient checks refuse right gradients, and how small a mistake they find.

    python benchmarks/gradients.py [--cases 20] [--elements 100000]

Every checker, ours first, sees the same right gradients in nine regimes, then
the same with mistakes of decreasing size, then about 70 awkward programs. The
share of refused right gradients is printed as a number in 10 000. A few minutes
at the default; 10 000 cases take some hours, most of them the peers'. `--ours`
with `--cases 1200` holds nn-grader alone to 10 800 right gradients.

The last table sets each target against what was measured, and beside it the
best of the other checkers in the same column.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import awkward
import gradient_cases as cases
import numpy as np
import peers
from peers import CHECKERS, Checker, Counted

from grader.checks.gradients.checking import check_gradient
from grader.records import CheckStatus

FACTORS = [10.0**-k for k in range(1, 14)]
DECAYS = (1e-4, 1e-5, 1e-6, 1e-7)
FOUND = 0.99
DELTA = 1e-8
OURS = "nn-grader"


@dataclass
class Figure:
    """One column for all checkers, and what nn-grader is to reach in it."""

    head: str
    target: str
    met: Callable[[float], bool]
    values: dict[str, float] = field(default_factory=dict)
    less_is_better: bool = True

    def rivals(self) -> dict[str, float]:
        """What the others reached."""
        return {name: value for name, value in self.values.items() if name != OURS}

    def row(self) -> list[str]:
        """Target, ours, whether it is met, and the best of the others."""
        ours, others = self.values[OURS], self.rivals()
        met = "yes" if self.met(ours) else "NO"
        if not others:
            return [self.target, f"{ours:.4g}", met, "-"]
        choose = min if self.less_is_better else max
        best = choose(others, key=lambda name: others[name])
        return [self.target, f"{ours:.4g}", met, f"{others[best]:.4g} ({best})"]


def main() -> None:
    """Prints the tables."""
    options = read_options()
    checkers = [checker for checker in CHECKERS if not checker.missing]
    for checker in CHECKERS:
        if checker.missing:
            print(f"{checker.name}: not installed ({checker.install})")
    if options.ours:
        checkers = checkers[:1]
    started = time.monotonic()
    few = max(10, min(options.cases, options.mistakes))
    figures = [
        *print_refusals(checkers, options.cases),
        *print_mistakes(checkers, few),
        *print_regime_factors(checkers, few),
        *print_awkward(checkers),
        *print_large(options.elements, options.repeats),
    ]
    rows = {figure.head: figure.row() for figure in figures}
    table("targets", ["target", "nn-grader", "met", "best of the others"], rows)
    print(f"\n{time.monotonic() - started:.0f} s")


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20, help="right gradients in each regime")
    parser.add_argument("--mistakes", type=int, default=50, help="at most so many wrong ones each")
    parser.add_argument("--elements", type=int, default=100_000, help="of the large gradient")
    parser.add_argument("--repeats", type=int, default=20, help="large gradients with a mistake")
    parser.add_argument("--ours", action="store_true", help="leave the other checkers out")
    return parser.parse_args()


def drawn(regime: str, count: int) -> list[cases.Case]:
    """The same cases for every checker."""
    place = cases.REGIMES.index(regime)
    return [
        cases.draw(regime, np.random.default_rng([i, place]), cases.KINDS[i % len(cases.KINDS)])
        for i in range(count)
    ]


def table(head: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    """One aligned table."""
    print(f"\n{head}")
    widths = [max(len(c), *(len(row[i]) for row in rows.values())) for i, c in enumerate(columns)]
    first = max(24, 2 + max(len(name) for name in rows))
    print(" " * first + "  ".join(c.rjust(w) for c, w in zip(columns, widths, strict=True)))
    for name, row in rows.items():
        print(f"{name:{first}}" + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))


def print_refusals(checkers: list[Checker], count: int) -> list[Figure]:
    """Right gradients refused, per 10 000, and evaluations an element."""
    refused_all = Figure("right gradients refused per 10 000", "0", lambda v: v == 0)
    benign = Figure("evaluations an element, benign", "<= 6", lambda v: v <= 6)
    hardest = Figure(
        "evaluations an element, 99 % of the hardest regime", "<= 40", lambda v: v <= 40
    )
    rows, effort = {}, {}
    for checker in checkers:
        found = [refusals(checker, drawn(regime, count)) for regime in cases.REGIMES]
        shares = [refused / count for refused, _ in found]
        costs = [float(np.mean(calls)) for _, calls in found]
        most = max(max(calls) for _, calls in found)
        nearly = max(float(np.quantile(calls, FOUND)) for _, calls in found)
        rows[checker.name] = [f"{10_000 * s:.0f}" for s in [*shares, float(np.mean(shares))]]
        effort[checker.name] = [f"{c:.1f}" for c in [*costs, float(np.mean(costs)), most]]
        refused_all.values[checker.name] = 10_000 * float(np.mean(shares))
        benign.values[checker.name], hardest.values[checker.name] = costs[0], nearly
    rows["nn-grader, undecided"] = undecided(count)
    columns = [*cases.REGIMES, "all"]
    table(f"right gradients refused per 10 000 ({count} in each regime)", columns, rows)
    table("evaluations an element", [*columns, "hardest case"], effort)
    return [refused_all, benign, hardest]


def refusals(checker: Checker, drawn_cases: list[cases.Case]) -> tuple[int, list[float]]:
    """How many are refused, and each one's number of evaluations an element."""
    refused, calls = 0, []
    for case in drawn_cases:
        f = Counted(case.f)
        refused += peers.asked(checker, f, case.grad, case.x)
        calls.append(f.calls / case.x.size)
    return refused, calls


def undecided(count: int) -> list[str]:
    """What nn-grader leaves open."""
    shares = [
        np.mean(
            [
                peers.verdict(c.f, c.grad, c.x, None) is CheckStatus.INCONCLUSIVE
                for c in drawn(regime, count)
            ]
        )
        for regime in cases.REGIMES
    ]
    return [f"{10_000 * s:.0f}" for s in [*shares, np.mean(shares)]]


def print_mistakes(checkers: list[Checker], count: int) -> list[Figure]:
    """The smallest common factor found, and forgotten weight decay."""
    factor = Figure("smallest factor 1 + delta found, benign", "<= 1e-11", lambda v: v <= 1e-11)
    forgotten = Figure(
        f"forgotten weight decay of {DECAYS[-1]:.0e} found",
        "1",
        lambda v: v == 1,
        less_is_better=False,
    )
    columns = ["1 + delta found", *(f"decay {d:.0e}" for d in DECAYS)]
    benign, rows = drawn("benign", count), {}
    for checker in checkers:
        least, shares = smallest(checker, benign), decays(checker, count)
        factor.values[checker.name], forgotten.values[checker.name] = least, shares[-1]
        rows[checker.name] = [f"{least:.0e}", *(f"{share:.2f}" for share in shares)]
    table(
        "benign: smallest common factor found in 99 % without refusing a right one, "
        "at the best tolerance; share of forgotten weight decays found by default",
        columns,
        rows,
    )
    return [factor, forgotten]


def smallest(checker: Checker, benign: list[cases.Case]) -> float:
    """At the strictest tolerance that refuses none of the right gradients; infinite if none."""
    best = float("inf")
    strict = [t for t in FACTORS if not any(asked(checker, c, 1.0, t) for c in benign)]
    if not strict:
        return best
    for delta in FACTORS:
        if np.mean([asked(checker, c, 1 + delta, min(strict)) for c in benign]) < FOUND:
            break
        best = delta
    return best


def asked(checker: Checker, case: cases.Case, factor: float, tolerance: float) -> bool:
    """Whether the gradient times a factor is refused."""
    return peers.asked(checker, case.f, scaled(case.grad, factor), case.x, tolerance)


def scaled(grad: Callable[[Any], Any], factor: float) -> Callable[[Any], Any]:
    """The gradient times a factor."""
    return lambda x: factor * grad(x)


def decays(checker: Checker, count: int) -> list[float]:
    """The share of forgotten weight decays that are found."""
    shares = []
    for decay in DECAYS:
        drawn_cases = [cases.with_decay(seed, decay) for seed in range(count)]
        found = [peers.asked(checker, c.f, forgetful, c.x) for c, forgetful in drawn_cases]
        shares.append(float(np.mean(found)))
    return shares


def print_regime_factors(checkers: list[Checker], count: int) -> list[Figure]:
    """The share of common factors told from the right gradient in every regime."""
    columns = [*cases.REGIMES, "all"]
    figure = Figure(
        f"factor 1 + {DELTA:.0e} told from right, all regimes",
        ">= 0.99",
        lambda v: v >= 0.99,
        less_is_better=False,
    )
    rows = {}
    for checker in checkers:
        shares = told_apart(checker, DELTA, count)
        figure.values[checker.name] = float(np.mean(shares))
        rows[checker.name] = [f"{share:.2f}" for share in [*shares, float(np.mean(shares))]]
    table(
        f"gradients of which the checker accepts the right one and refuses 1 + {DELTA:.0e} times "
        f"it, at a tolerance of a tenth of that ({count} in each regime)",
        columns,
        rows,
    )
    ours = {
        f"nn-grader, 1 + {delta:.0e}": [
            f"{share:.2f}" for share in [*shares, float(np.mean(shares))]
        ]
        for delta in (1e-6, 1e-7, 1e-9, 1e-10, 1e-11)
        for shares in [told_apart(CHECKERS[0], delta, max(10, count // 3))]
    }
    table("the same for other factors", columns, ours)
    return [figure]


def told_apart(checker: Checker, delta: float, count: int) -> list[float]:
    """In each regime, the share of cases that the checker decides rightly both times."""
    return [
        float(
            np.mean(
                [
                    asked(checker, case, 1 + delta, delta / 10)
                    and not asked(checker, case, 1.0, delta / 10)
                    for case in drawn(regime, count)
                ]
            )
        )
        for regime in cases.REGIMES
    ]


def print_awkward(checkers: list[Checker]) -> list[Figure]:
    """Awkward programs, right and wrong."""
    rows = {checker.name: awkward_row(checker) for checker in checkers}
    counts = [p.right for p in awkward.programs()]
    columns = [
        f"of {sum(counts)} right refused",
        f"of {len(counts) - sum(counts)} wrong passed",
        "undecided",
    ]
    table("awkward programs", columns, rows)
    return [
        Figure(
            f"awkward programs, {head}",
            "0",
            lambda v: v == 0,
            {name: float(row[place]) for name, row in rows.items()},
        )
        for place, head in enumerate(columns[:2])
    ]


def awkward_row(checker: Checker) -> list[str]:
    """Refused, passed, and, for ours, undecided."""
    refused, passed, undecided = [], [], []
    for program in awkward.programs():
        if checker.name == OURS:
            status = peers.verdict(
                program.f, program.grad, program.at, None, elementwise=program.elementwise
            )
            if status is CheckStatus.INCONCLUSIVE:
                undecided.append(program.name)
                continue
            refuses = status is CheckStatus.FAILED
        else:
            f = summed(program.f) if program.elementwise else program.f
            refuses = peers.asked(checker, f, program.grad, program.at)
        if program.right and refuses:
            refused.append(program.name)
        if not program.right and not refuses:
            passed.append(program.name)
    names = "; ".join(undecided) or "-"
    return [str(len(refused)), str(len(passed)), names if checker.name == OURS else ""]


def summed(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a checker of scalar functions can be given."""
    return lambda x: np.sum(f(x))


def print_large(size: int, repeats: int) -> list[Figure]:
    """One wrong element among many, for nn-grader; element by element others need 2 * size."""
    rows, figures = {}, []
    for elements in (size, 10 * size):
        case = cases.large(elements, np.random.default_rng(elements))
        result = check_gradient(case.f, case.grad, at=case.x, raises=False)
        rows[f"{elements} right"] = [result.status.value, str(result.evaluations), "-"]
        # One for each element is the least that a difference in each takes.
        spent = {OURS: float(result.evaluations), "forward differences": elements + 1.0}
        figures.append(
            Figure(f"evaluations for {elements} elements", "< 600", lambda v: v < 600, spent)
        )
    for error, least in ((1e-2, 0.99), (1e-4, 0.95)):
        found, calls, named = one_wrong(size, error, repeats)
        rows[f"one of {size} off by {error:.0e}"] = [f"{found:.2f}", f"<= {calls}", f"{named:.2f}"]
        # A check of as many elements as these evaluations pay for meets the bad one so often.
        sampled = {OURS: found, "sampled elements": calls / 2 / size}
        figures.append(
            Figure(
                f"one of {size} off by {error:.0e} found",
                f">= {least}",
                lambda v, bound=least: v >= bound,  # type: ignore[misc]
                sampled,
                less_is_better=False,
            )
        )
    table(f"many elements ({repeats} repeats)", ["found", "evaluations", "named"], rows)
    return figures


def one_wrong(size: int, error: float, repeats: int) -> tuple[float, int, float]:
    """The share of wrong elements found, the most evaluations, and the share named."""
    found, named, calls = 0, 0, 0
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        case, factor = cases.large(size, rng), np.ones(size)
        bad = int(rng.integers(size))
        factor[bad] += error
        grad = lambda x, c=case, k=factor: k * c.grad(x)  # noqa: E731
        result = check_gradient(case.f, grad, at=case.x, raises=False)
        found += result.status is CheckStatus.FAILED
        named += result.worst_index == (bad,)
        calls = max(calls, result.evaluations)
    return found / repeats, calls, named / repeats


if __name__ == "__main__":
    main()
