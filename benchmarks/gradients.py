"""How often gradient checks refuse right gradients, and how small a mistake they find.

    python benchmarks/gradients.py [--cases 20] [--elements 100000]

Every checker, ours first, sees the same right gradients in nine regimes, then
the same with mistakes of decreasing size, then about 70 awkward programs. The
share of refused right gradients is printed as a number in 10 000. A minute or
two at the default; 10 000 cases take some hours, most of them the peers'.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
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
    print_refusals(checkers, options.cases)
    print_mistakes(checkers, max(10, options.cases))
    print_regime_factors(max(10, options.cases))
    print_awkward(checkers)
    print_large(options.elements, options.repeats)
    print(f"\n{time.monotonic() - started:.0f} s")


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20, help="right gradients in each regime")
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
    print(" " * 24 + "  ".join(c.rjust(w) for c, w in zip(columns, widths, strict=True)))
    for name, row in rows.items():
        print(f"{name:24}" + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))


def print_refusals(checkers: list[Checker], count: int) -> None:
    """Right gradients refused, per 10 000, and evaluations an element."""
    rows, effort = {}, {}
    for checker in checkers:
        shares, costs = [], []
        for regime in cases.REGIMES:
            refused, calls = refusals(checker, drawn(regime, count))
            shares.append(refused / count)
            costs.append(calls)
        rows[checker.name] = [f"{10_000 * s:.0f}" for s in [*shares, float(np.mean(shares))]]
        effort[checker.name] = [f"{c:.1f}" for c in [*costs, float(np.mean(costs))]]
    rows["nn-grader, undecided"] = undecided(count)
    columns = [*cases.REGIMES, "all"]
    table(f"right gradients refused per 10 000 ({count} in each regime)", columns, rows)
    table("evaluations an element", columns, effort)


def refusals(checker: Checker, drawn_cases: list[cases.Case]) -> tuple[int, float]:
    """How many are refused, and the mean number of evaluations an element."""
    refused, calls = 0, []
    for case in drawn_cases:
        f = Counted(case.f)
        refused += peers.asked(checker, f, case.grad, case.x)
        calls.append(f.calls / case.x.size)
    return refused, float(np.mean(calls))


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


def print_mistakes(checkers: list[Checker], count: int) -> None:
    """The smallest common factor found, and forgotten weight decay."""
    columns = ["1 + delta found", *(f"decay {d:.0e}" for d in DECAYS)]
    benign = drawn("benign", count)
    rows = {c.name: [smallest(c, benign), *decays(c, count)] for c in checkers}
    table(
        "benign: smallest common factor found in 99 % without refusing a right one, "
        "at the best tolerance; share of forgotten weight decays found by default",
        columns,
        rows,
    )


def smallest(checker: Checker, benign: list[cases.Case]) -> str:
    """At the strictest tolerance that refuses none of the right gradients."""
    best = "-"
    strict = [t for t in FACTORS if not any(asked(checker, c, 1.0, t) for c in benign)]
    if not strict:
        return best
    for delta in FACTORS:
        if np.mean([asked(checker, c, 1 + delta, min(strict)) for c in benign]) < FOUND:
            break
        best = f"{delta:.0e}"
    return best


def asked(checker: Checker, case: cases.Case, factor: float, tolerance: float) -> bool:
    """Whether the gradient times a factor is refused."""
    return peers.asked(checker, case.f, scaled(case.grad, factor), case.x, tolerance)


def scaled(grad: Callable[[Any], Any], factor: float) -> Callable[[Any], Any]:
    """The gradient times a factor."""
    return lambda x: factor * grad(x)


def decays(checker: Checker, count: int) -> list[str]:
    """The share of forgotten weight decays that are found."""
    shares = []
    for decay in DECAYS:
        drawn_cases = [cases.with_decay(seed, decay) for seed in range(count)]
        found = [peers.asked(checker, c.f, forgetful, c.x) for c, forgetful in drawn_cases]
        shares.append(f"{np.mean(found):.2f}")
    return shares


def print_regime_factors(count: int) -> None:
    """For nn-grader alone: the share of common factors found in every regime."""
    deltas = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)
    ours, rows = CHECKERS[0], {}
    for regime in cases.REGIMES:
        drawn_cases, row = drawn(regime, count), []
        for delta in deltas:
            wrong = [
                peers.asked(ours, c.f, scaled(c.grad, 1 + delta), c.x, delta / 4)
                for c in drawn_cases
            ]
            right = [peers.asked(ours, c.f, c.grad, c.x, delta / 4) for c in drawn_cases]
            row.append(f"{np.mean(wrong):.2f}" + (f" ({sum(right)} refused)" if any(right) else ""))
        rows[regime] = row
    table(
        "nn-grader: common factors found at a tolerance of delta / 4",
        [f"{d:.0e}" for d in deltas],
        rows,
    )


def print_awkward(checkers: list[Checker]) -> None:
    """Awkward programs, right and wrong."""
    rows = {checker.name: awkward_row(checker) for checker in checkers}
    counts = [p.right for p in awkward.programs()]
    columns = [
        f"of {sum(counts)} right refused",
        f"of {len(counts) - sum(counts)} wrong passed",
        "undecided",
    ]
    table("awkward programs", columns, rows)


def awkward_row(checker: Checker) -> list[str]:
    """Refused, passed, and, for ours, undecided."""
    refused, passed, undecided = [], [], []
    for program in awkward.programs():
        if checker.name == "nn-grader":
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
    return [str(len(refused)), str(len(passed)), names if checker.name == "nn-grader" else ""]


def summed(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a checker of scalar functions can be given."""
    return lambda x: np.sum(f(x))


def print_large(size: int, repeats: int) -> None:
    """One wrong element among many, for nn-grader; element by element others need 2 * size."""
    rows = {}
    for elements in (size, 10 * size):
        case = cases.large(elements, np.random.default_rng(elements))
        result = check_gradient(case.f, case.grad, at=case.x, raises=False)
        rows[f"{elements} right"] = [result.status.value, str(result.evaluations), "-"]
    for error in (1e-2, 1e-4):
        rows[f"one of {size} off by {error:.0e}"] = one_wrong(size, error, repeats)
    print()
    table(f"many elements ({repeats} repeats)", ["found", "evaluations", "named"], rows)


def one_wrong(size: int, error: float, repeats: int) -> list[str]:
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
    return [f"{found / repeats:.2f}", f"<= {calls}", f"{named / repeats:.2f}"]


if __name__ == "__main__":
    main()
