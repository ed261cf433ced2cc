"""How often a planted bug gets its name, and how often a wrong one.

    python benchmarks/diagnosis.py [--settings 12] [--seed 0]

Layers and nets of random sizes (distinct primes) are differentiated by the
grader's own differences; about 40 bugs are planted in their gradients, alone
and in pairs, and `diagnose` is asked what is wrong.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeAlias

import diagnosis_settings
import numpy as np
from diagnosis_settings import LEARNING_RATE, Blocks, Kind, Setting
from numpy.typing import NDArray

from grader.checks import DiagnosisContext, diagnose, numeric_gradient

Floats: TypeAlias = NDArray[Any]

TARGETS = (
    "targets: named right >= 95 %, named wrong <= 1 %, others unnamed >= 98 %, right ones 100 %"
)
DECAY_CODES = frozenset(
    f"weight_decay_{word}"
    for word in ("missing", "sign", "doubled", "halved", "averaged", "summed", "unscaled")
)
ONE_BUG = frozenset(
    [
        ("missing_batch_mean", "extra_batch_mean"),
        ("weight_decay_sign", "sign"),
        ("weight_decay_doubled", "factor_half"),
        ("weight_decay_halved", "factor_two"),
        ("weight_decay_summed", "extra_batch_mean"),
        ("weight_decay_averaged", "missing_batch_mean"),
    ]
)
"""Pairs of which one undoes a part of the other, so that a single bug is left."""

PAIRS = 12
"""Pairs of bugs drawn for each setting."""


@dataclass(frozen=True)
class Case:
    """A setting with its numeric gradient, and how the student's arithmetic is done."""

    setting: Setting
    numeric: Blocks
    error: Blocks

    def context(self, **changes: Any) -> DiagnosisContext:
        """All that the author of a check can tell."""
        full = replace(self.setting.context, error_estimate=self.bare(self.error))
        return replace(full, **changes)

    def bare(self, blocks: Blocks) -> Any:
        """A single block as an array."""
        return blocks.get("", blocks)


def differentiate(setting: Setting, dtype: Kind) -> Case:
    """The setting's numeric gradient, of a loss that computes in this precision."""
    names = list(setting.parameters)
    sizes = np.cumsum([setting.parameters[name].size for name in names])[:-1]

    def split(flat: Floats) -> dict[str, Floats]:
        parts = zip(names, np.split(flat, sizes), strict=True)
        return {name: part.reshape(setting.parameters[name].shape) for name, part in parts}

    def loss(flat: Floats) -> float:
        return float(setting.loss({k: v.astype(dtype) for k, v in split(flat).items()}))

    start = np.concatenate([setting.parameters[name].ravel() for name in names])
    found = numeric_gradient(loss, at=start)
    return Case(setting, split(found.value), split(found.error_estimate))


# --- bugs -------------------------------------------------------------------


def single_bugs(case: Case, dtype: Kind) -> Iterator[tuple[str, Blocks]]:
    """Every listed bug of a setting, with its code."""
    formulas = case.setting.formulas(dtype)
    right = formulas.pop("")
    yield from formulas.items()
    for code, number in factors(case.setting.context).items():
        yield code, scaled(right, number)
    yield from value_bugs(case, right)


def factors(context: DiagnosisContext) -> dict[str, float]:
    """One factor too many or too few."""
    found = {"sign": -1.0, "factor_two": 2.0, "factor_half": 0.5, "learning_rate": LEARNING_RATE}
    counts = {
        "batch": context.batch_size,
        "class": context.n_classes,
        "feature": context.n_features,
        "hidden": context.n_hidden,
    }
    for word, count in counts.items():
        if count:
            found |= {f"missing_{word}_mean": count, f"extra_{word}_mean": 1 / count}
    if context.batch_size:
        found["count_off_by_one"] = context.batch_size / (context.batch_size - 1)
    return found


def scaled(blocks: Blocks, number: float) -> Blocks:
    """All blocks times a number."""
    return {name: (number * block).astype(block.dtype) for name, block in blocks.items()}


def value_bugs(case: Case, right: Blocks) -> Iterator[tuple[str, Blocks]]:
    """Bugs that show in the values or shapes of any gradient."""
    rng = np.random.default_rng(right[next(iter(right))].size)
    whole = np.concatenate([block.ravel() for block in right.values()])
    largest = {name: 5.3 * block / np.abs(whole).max() for name, block in right.items()}
    yield "all_zero", scaled(right, 0.0)
    yield "normalised", scaled(right, 1 / float(np.linalg.norm(whole))) if "" in right else {}
    if "" not in right:
        return
    block = right[""]
    bound = np.sort(np.abs(block).ravel())[-max(2, block.size // 4)]
    if 0 < bound < np.abs(block).max():
        yield "clipping", {"": np.clip(block, -bound, bound)}
    whole_numbers = np.trunc(largest[""])
    if whole_numbers.any() and not np.allclose(largest[""], whole_numbers):
        yield "integer", {"": whole_numbers, "of": largest[""]}
    index = tuple(int(rng.integers(n)) for n in block.shape)
    changed = block.copy()
    changed[index] += block.dtype.type(np.abs(whole).max())
    yield "one_element", {"": changed}
    if block.ndim == 2 and min(block.shape) >= 3:
        yield "transposed", {"": block.T}
        yield "transposed", {"": block.T.reshape(block.shape)}
        yield "wrong_shape", {"": block.ravel()}
        row = block.copy()
        row[index[0]] *= block.dtype.type(1.7)
        yield "one_row", {"": row}


def bug_pairs(case: Case, rng: np.random.Generator) -> Iterator[tuple[str, Blocks]]:
    """Two bugs at once: of a formula, the factor and the weight decay."""
    formulas = case.setting.formulas(np.float64)
    right = formulas.pop("")
    named = factors(case.setting.context)
    decay = case.setting.decay()
    found: list[tuple[str, Blocks]] = []
    for code, blocks in formulas.items():
        if not is_planted(case, code, blocks):
            continue
        found += [
            (f"{code}+{other}", scaled(blocks, n))
            for other, n in named.items()
            if (code, other) not in ONE_BUG
        ]
        if decay and not code.startswith("weight_decay") and same_shapes(blocks, right):
            found.append((f"{code}+weight_decay_missing", minus(blocks, decay)))
    for (one, a), (two, b) in combinations(named.items(), 2):
        if not np.isclose(a * b, 1.0):
            found.append((f"{one}+{two}", scaled(right, a * b)))
    for place in rng.permutation(len(found))[:PAIRS]:
        code, blocks = found[place]
        yield "+".join(sorted(code.split("+"))), blocks


def same_shapes(first: Blocks, second: Blocks) -> bool:
    """Whether the blocks have the same shapes."""
    return all(first[name].shape == second[name].shape for name in second)


def minus(blocks: Blocks, others: Blocks) -> Blocks:
    """Blocks less others; those that only one side has stay as they are."""
    return {n: block - others[n] if n in others else block for n, block in blocks.items()}


ODDITIES: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "another factor": lambda a, rng: rng.uniform(1.1, 1.9) * a,
    "noise": lambda a, rng: a + 0.1 * np.abs(a).max() * rng.normal(size=a.shape),
    "absolute values": lambda a, rng: np.abs(a) * rng.uniform(0.9, 1.1),
    "squares": lambda a, rng: a**2,
    "a power": lambda a, rng: np.sign(a) * np.abs(a) ** 1.5,
    "tanh": lambda a, rng: np.tanh(3 * a / np.abs(a).max()),
    "a constant": lambda a, rng: a + rng.normal(),
    "anything": lambda a, rng: rng.normal(size=a.shape),
    "sums along": lambda a, rng: np.cumsum(a).reshape(a.shape),
    "dropout": lambda a, rng: a * (rng.random(a.shape) > 0.4) / 0.6,
    "low precision": lambda a, rng: a * (1 + 0.01 * rng.normal(size=a.shape)),
}


# --- what is counted --------------------------------------------------------


def name_of(case: Case, analytic: Blocks, context: DiagnosisContext) -> str:
    """The code that is given, empty where nothing is said."""
    numeric = case.numeric
    if "of" in analytic:
        # Only a gradient of larger numbers shows that they were cut to integers.
        ratio = float(np.vdot(analytic["of"], numeric[""]) / np.vdot(numeric[""], numeric[""]))
        numeric = scaled(numeric, ratio)
        context = DiagnosisContext()
    given = {name: analytic[name] for name in numeric}
    found = diagnose(case.bare(given), case.bare(numeric), context)
    return found.code if found else ""


def outcome(case: Case, code: str, analytic: Blocks, context: DiagnosisContext) -> str:
    """Right, unsure or wrong; a decay of unknown strength is named rightly without its kind."""
    given = name_of(case, analytic, context)
    if not given:
        return "unsure"
    if not context.weight_decay and code in DECAY_CODES and given == "weight_decay_wrong":
        return "right"
    return "right" if given == code else f"wrong: {code} as {given}"


def is_planted(case: Case, code: str, analytic: Blocks) -> bool:
    """Whether the bug shows at all, and in three elements of a block at least.

    Where it does not, it is a right gradient (a ReLU of which no unit is off).
    """
    if not analytic or any(name not in analytic for name in case.numeric):
        return False
    if "of" in analytic:
        return True
    if code != "all_zero" and not any(np.any(analytic[name]) for name in case.numeric):
        # The one example that is left had no unit that is on.
        return False
    right = case.setting.formulas(np.float64)[""]
    wrong = 0
    for name, block in right.items():
        given = np.asarray(analytic[name])
        if given.shape != block.shape:
            return block.size >= 3 and given.size >= 1
        wrong += int((np.abs(given - block) > 1e-4 * np.abs(block)).sum())
    return wrong >= 3 or code == "one_element"


@dataclass(frozen=True)
class Row:
    """A row of the table: what the context holds, and which gradients are asked about."""

    title: str
    context: Callable[[Case, str], DiagnosisContext]
    bugs: Callable[[Case, np.random.Generator], Iterator[tuple[str, Blocks]]]
    dtype: Kind = np.float64


def with_variants(case: Case, _: str) -> DiagnosisContext:
    """Wrong formulas from the assignment's own reference."""
    return case.context(variants=variants(case))


def variants(case: Case, without: str = "") -> Mapping[str, Any]:
    """The setting's own bugs, as its author would compute them."""
    formulas = case.setting.formulas(np.float64)
    kept = {c: case.bare(b) for c, b in formulas.items() if c not in ("", *without.split("+"))}
    return {c: b for c, b in kept.items() if not c.startswith("weight_decay")}


def own_withheld(case: Case, code: str) -> DiagnosisContext:
    """All variants but that of the bug, and no layer that could be recognised."""
    return case.context(variants=variants(case, code), inputs=None, upstream=None)


def singles(case: Case, _: np.random.Generator) -> Iterator[tuple[str, Blocks]]:
    """Every bug alone."""
    return single_bugs(case, np.float64)


def single_precision(case: Case, _: np.random.Generator) -> Iterator[tuple[str, Blocks]]:
    """Every bug, in a gradient that is computed in float32."""
    return single_bugs(case, np.float32)


ROWS = (
    Row("one bug, with variants", with_variants, singles),
    Row("one bug, layers recognised", lambda case, _: case.context(), singles),
    Row("the bug's own variant withheld", own_withheld, singles),
    Row("one bug, no context", lambda *_: DiagnosisContext(), singles),
    Row("float32 gradient, with variants", with_variants, single_precision),
    Row("float32 throughout, with variants", with_variants, single_precision, np.float32),
    Row("two bugs, with variants", with_variants, bug_pairs),
)


def count_bugs(row: Row, cases: list[Case], rng: np.random.Generator) -> Counter[str]:
    """How the bugs of all cases are named."""
    counts: Counter[str] = Counter()
    for case in cases:
        for code, analytic in row.bugs(case, rng):
            if is_planted(case, code, analytic):
                counts[outcome(case, code, analytic, row.context(case, code))] += 1
    return counts


def count_others(cases: list[Case], rng: np.random.Generator) -> tuple[Counter[str], Counter[str]]:
    """How oddities and right gradients are named; nothing should be said of either."""
    odd: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for case in cases:
        context = with_variants(case, "")
        for dtype in (np.float64, np.float32):
            found = name_of(case, case.setting.formulas(dtype)[""], context)
            right[f"named {found}" if found else "unnamed"] += 1
        exact = case.setting.formulas(np.float64)[""]
        for word, change in ODDITIES.items():
            analytic = {name: change(block, rng) for name, block in exact.items()}
            found = name_of(case, analytic, context)
            odd[f"{word} as {found}" if found else "unnamed"] += 1
    return odd, right


def print_row(title: str, counts: Counter[str], good: str) -> None:
    """One line, and below it what was named wrong."""
    total = counts.total()
    wrong = {what: n for what, n in counts.items() if what not in ("right", "unsure", "unnamed")}
    shares = [counts[good] / total, counts["unsure"] / total, sum(wrong.values()) / total]
    numbers = "".join(f"{100 * share:9.2f} %" for share in shares)
    print(f"{title:36}{total:8}{numbers}")
    for what, n in sorted(wrong.items(), key=lambda pair: -pair[1])[:6]:
        print(f"{'':8}{n:5}  {what}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, default=12, help="random ones of each layer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    rng = np.random.default_rng(options.seed)
    makers = diagnosis_settings.MAKERS
    settings = [make(rng) for make in makers for _ in range(options.settings)]
    kinds: tuple[Kind, ...] = (np.float64, np.float32)
    cases = {d: [differentiate(s, d) for s in settings] for d in kinds}
    codes = {code for case in cases[np.float64] for code, _ in single_bugs(case, np.float64)}
    print(f"{len(codes)} bugs, {len(makers)} layers and nets, {len(settings)} settings; {TARGETS}")
    print(f"{'':36}{'asked':>8}{'right':>11}{'unsure':>11}{'wrong':>11}")
    for row in ROWS:
        print_row(row.title, count_bugs(row, cases[row.dtype], rng), "right")
    odd, right = count_others(cases[np.float64], rng)
    print(f"{'':36}{'asked':>8}{'unnamed':>11}{'':>11}{'named':>11}")
    print_row("unknown oddities", odd, "unnamed")
    print_row("right gradients", right, "unnamed")
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
