"""What is said of a wrong gradient: the exact name, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.checks import DiagnosisContext, diagnose
from grader.checks.diagnosis.codes import SENTENCES

Floats = NDArray[np.float64]

N, D, K, H = 11, 5, 7, 3
RATE, DECAY = 0.0137, 0.037
RNG = np.random.default_rng(4)
RIGHT = RNG.normal(size=(D, K))
THETA = RNG.normal(size=(D, K))
COUNTS = DiagnosisContext(batch_size=N, n_features=D, n_classes=K, n_hidden=H, learning_rate=RATE)
DECAYING = replace(COUNTS, parameters=THETA, weight_decay=DECAY)
# A factor that has no name.
ODD = 1.0173


def code(analytic: Any, numeric: Any = RIGHT, context: DiagnosisContext | None = COUNTS) -> str:
    """The code of the diagnosis, empty where there is none."""
    found = diagnose(analytic, numeric, context)
    return found.code if found else ""


# --- factors ----------------------------------------------------------------

FACTORS = {
    "sign": -1.0,
    "factor_two": 2.0,
    "factor_half": 0.5,
    "missing_batch_mean": N,
    "extra_batch_mean": 1 / N,
    "missing_class_mean": K,
    "extra_class_mean": 1 / K,
    "missing_feature_mean": D,
    "extra_feature_mean": 1 / D,
    "missing_hidden_mean": H,
    "extra_hidden_mean": 1 / H,
    "count_off_by_one": N / (N - 1),
    "learning_rate": RATE,
}


@pytest.mark.parametrize(("name", "number"), FACTORS.items())
def test_factor(name: str, number: float) -> None:
    """A factor that the context knows is named; one near it is not."""
    assert code(number * RIGHT) == name
    assert code(number * 1.001 * RIGHT) == ""
    changed = number * RIGHT
    changed[1, 2] *= 1.001
    assert code(changed) == ""


def test_factors_of_the_context_alone() -> None:
    """A factor is not named after a count that nobody gave."""
    assert code(N * RIGHT, context=None) == ""
    assert code(-RIGHT, context=None) == "sign"


@pytest.mark.parametrize(
    ("number", "name"),
    [(-N, "missing_batch_mean+sign"), (2 / K, "extra_class_mean+factor_two")],
)
def test_two_factors(number: float, name: str) -> None:
    """A product of two named factors is both."""
    assert code(number * RIGHT) == name


def test_three_factors() -> None:
    """A product of three could be anything."""
    assert code(-2.0 * N * RIGHT) == ""


def test_equal_counts_are_ambiguous() -> None:
    """Where two counts are equal, nobody knows which of them is missing."""
    assert code(N * RIGHT, context=replace(COUNTS, n_classes=N)) == ""
    assert code(2.0 * RIGHT, context=replace(COUNTS, batch_size=2)) == ""


# --- weight decay -----------------------------------------------------------

MULTIPLES = {
    "weight_decay_missing": 0.0,
    "weight_decay_sign": -1.0,
    "weight_decay_doubled": 2.0,
    "weight_decay_halved": 0.5,
    "weight_decay_averaged": 1 / N,
    "weight_decay_summed": N,
    "weight_decay_unscaled": 1 / DECAY,
}


def decayed(multiple: float) -> Floats:
    """The right gradient with another share of the weight decay."""
    return RIGHT + (multiple - 1.0) * DECAY * THETA


@pytest.mark.parametrize(("name", "multiple"), MULTIPLES.items())
def test_weight_decay(name: str, multiple: float) -> None:
    """A wrong share of the weight decay is named; one near it is not."""
    assert code(decayed(multiple), context=DECAYING) == name
    assert code(decayed(multiple + 0.01), context=DECAYING) == ""
    off = decayed(multiple)
    off[0, 0] += 1e-3
    assert code(off, context=DECAYING) == ""


@pytest.mark.parametrize("strength", [1e-3, 1e-5, 1e-7])
def test_tiny_weight_decay(strength: float) -> None:
    """A tiny weight decay is missed all the same, if the numbers are precise enough."""
    context = replace(DECAYING, weight_decay=strength, error_estimate=np.full((D, K), 1e-13))
    assert code(RIGHT - strength * THETA, context=context) == "weight_decay_missing"
    coarse = replace(context, error_estimate=np.full((D, K), strength))
    assert code(RIGHT - strength * THETA, context=coarse) == ""


def test_weight_decay_of_unknown_strength() -> None:
    """A multiple of the parameters is recognised, though not what is wrong with it."""
    context = replace(DECAYING, weight_decay=None)
    assert code(RIGHT + 0.123 * THETA, context=context) == "weight_decay_wrong"
    assert code(RIGHT + 0.123 * THETA**3, context=context) == ""


def test_weight_decay_on_a_bias() -> None:
    """Weight decay on a bias is named where the parameter is known to be one."""
    right, theta = RIGHT[0], THETA[0]
    context = replace(COUNTS, parameters=theta, weight_decay=DECAY)
    wrong = right + DECAY * theta
    assert code(wrong, right, replace(context, is_bias=True)) == "weight_decay_on_bias"
    assert code(wrong, right, replace(context, is_bias=False)) == "weight_decay_doubled"
    assert code(wrong, right, context) == ""


def test_weight_decay_beside_a_factor() -> None:
    """A factor before the data's part alone, and both mistakes at once."""
    data = RIGHT - DECAY * THETA
    assert code(data / N + DECAY * THETA, context=DECAYING) == "extra_batch_mean"
    assert code(data / N, context=DECAYING) == "extra_batch_mean+weight_decay_missing"
    assert code(-data + 2 * DECAY * THETA, context=DECAYING) == "sign+weight_decay_doubled"


def test_gradient_along_the_parameters() -> None:
    """Where the gradient is a multiple of the parameters, the decay has no share of its own."""
    assert code(2.0 * THETA, THETA, DECAYING) == "factor_two"


# --- shapes, orders and single elements -------------------------------------


def changed(index: Any, value: Any) -> Floats:
    """The right gradient with a part replaced."""
    array = RIGHT.copy()
    array[index] = value
    return array


PATTERNS: dict[str, tuple[Any, Any]] = {
    # The bug, and something like it that is another one.
    "all_zero": (np.zeros((D, K)), np.full((D, K), 1e-9)),
    "normalised": (RIGHT / np.linalg.norm(RIGHT), RIGHT / np.abs(RIGHT).sum()),
    "transposed": (RIGHT.T, (RIGHT**2).T),
    "wrong_shape": (RIGHT.ravel(), RIGHT.ravel() + 1e-3),
    "wrong_order": (RIGHT[::-1], np.abs(RIGHT[::-1])),
    "summed_over_everything": (RIGHT.sum(), RIGHT.sum() + 1e-3),
    "clipping": (np.clip(RIGHT, -1, 1), np.tanh(RIGHT)),
    "one_element": (changed((2, 3), 5.0), changed(([2, 1], [3, 4]), 5.0)),
    "one_row": (changed(2, 5.0), changed(slice(1, 3), 5.0)),
    "one_column": (changed((slice(None), 2), 5.0), changed((slice(None), [1, 4]), 5.0)),
    "one_example_only": (
        np.where(np.arange(D)[:, None] == 4, RIGHT, 0),
        np.where(np.arange(D)[:, None] == 4, RIGHT**2, 0),
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern(name: str) -> None:
    """What the numbers alone show is named; what is only like it is not."""
    bug, lookalike = PATTERNS[name]
    assert code(bug) == name
    assert code(lookalike) == ""


@pytest.mark.parametrize("cut", [np.trunc, np.floor, np.round])
def test_integers(cut: Any) -> None:
    """Numbers that were cut to integers are recognised, other integers are not."""
    assert code(cut(3 * RIGHT), 3 * RIGHT) == "integer"
    assert code(cut(3 * RIGHT) + 2 * (np.arange(K) % 2), 3 * RIGHT) == ""


def test_reshape_instead_of_a_transpose() -> None:
    """The transposed numbers in the right shape are still transposed."""
    assert code(RIGHT.T.reshape(D, K)) == "transposed"
    assert code(RIGHT.reshape(K, D).T) == "transposed"


def test_equal_numbers_have_no_order() -> None:
    """Where numbers occur twice, another order may come from another bug."""
    right = (RIGHT > 0).astype(float)
    assert code(right[::-1], right) == ""


def test_not_summed() -> None:
    """One gradient for each example is recognised by its sum or mean."""
    each = RNG.normal(size=(N, K))
    assert code(each, each.sum(axis=0)) == "not_summed"
    assert code(each, each.mean(axis=0)) == "not_summed"
    assert code(each, (each**2).sum(axis=0)) == ""


def test_broadcast() -> None:
    """A table where a vector belongs comes from two shapes of the same data."""
    p, y = RNG.uniform(size=K), np.arange(K) % 2
    assert code(p[:, None] - y, p - y) == "broadcast"
    assert code(p[:, None] - y, (p - y)[:, None]) == "broadcast"
    assert code(p[:, None] * y, p - y) == ""


def test_axes_of_size_one() -> None:
    """A row is as good as a vector."""
    assert code(-RIGHT[:1], RIGHT[0]) == "sign"


# --- variants ---------------------------------------------------------------


def test_variant() -> None:
    """A variant is named by its code, with the sentence that comes with it."""
    wrong = RIGHT**2
    found = diagnose(wrong, RIGHT, replace(COUNTS, variants={"squares": ("You square it.", wrong)}))
    assert found is not None
    assert (found.code, found.text) == ("squares", "You square it.")
    variants = {"stale_cache": wrong}
    assert code(wrong, context=replace(COUNTS, variants=variants)) == "stale_cache"
    assert code(ODD * wrong, context=replace(COUNTS, variants=variants)) == ""
    assert code(wrong + 1e-4, context=replace(COUNTS, variants=variants)) == ""


def test_variant_beside_another_bug() -> None:
    """A factor and the weight decay are seen beside a variant."""
    wrong = RIGHT**2
    context = replace(DECAYING, variants={"stale_cache": wrong})
    assert code(-wrong, context=context) == "sign+stale_cache"
    missing = wrong - DECAY * THETA
    assert code(missing, context=context) == "stale_cache+weight_decay_missing"


def test_variant_of_another_shape() -> None:
    """A variant may have the wrong shape, as the bug has."""
    wrong = np.arange(4.0)
    assert code(wrong, context=replace(COUNTS, variants={"wrong_axis": wrong})) == "wrong_axis"
    assert code(wrong + 1, context=replace(COUNTS, variants={"wrong_axis": wrong})) == ""


def test_equal_variants_are_ambiguous() -> None:
    """Two names for the same numbers are no name; a variant that is right is none either."""
    wrong = RIGHT**2
    variants: dict[str, Any] = {"stale_cache": wrong, "updated_weights": wrong}
    assert code(wrong, context=replace(COUNTS, variants=variants)) == ""
    assert code(-RIGHT, context=replace(COUNTS, variants={"stale_cache": -RIGHT})) == ""
    assert code(-RIGHT, context=replace(COUNTS, variants={"stale_cache": RIGHT})) == "sign"


def test_variant_without_a_sentence() -> None:
    """A code that is not ours needs a sentence: the author hears of it, not the student."""
    with pytest.raises(ValueError, match="'squares' needs a sentence"):
        diagnose(-RIGHT, RIGHT, DiagnosisContext(variants={"squares": RIGHT}))


# --- blocks -----------------------------------------------------------------

NET = {"W1": RIGHT, "b1": RIGHT[0], "W2": THETA, "b2": np.array([0.3, -0.8])}
NET_THETA = {name: np.cos(7 * block) for name, block in NET.items()}
NET_CONTEXT = replace(
    COUNTS, parameters=NET_THETA, weight_decay=DECAY, is_bias=frozenset(["b1", "b2"])
)


def net(**changes: Any) -> dict[str, Floats]:
    """The right gradients with some blocks replaced."""
    return {**NET, **changes}


def test_whole_net() -> None:
    """A bug that all blocks share is named once, those of two elements included."""
    wrong = {name: -block for name, block in NET.items()}
    assert code(wrong, NET) == "sign"
    assert code({**wrong, "b2": 3 * NET["b2"]}, NET) == ""


def test_one_block() -> None:
    """A bug in one block is named although the others are right."""
    assert code(net(W2=2 * NET["W2"]), NET) == "factor_two"


def test_decay_of_the_weights_alone() -> None:
    """The weight decay is missing in each weight, and the biases are right without it."""
    wrong = net(**{n: NET[n] - DECAY * NET_THETA[n] for n in ("W1", "W2")})
    assert code(wrong, NET, NET_CONTEXT) == "weight_decay_missing"
    on_biases = net(**{n: NET[n] + DECAY * NET_THETA[n] for n in ("b1", "b2")})
    assert code(on_biases, NET, NET_CONTEXT) == "weight_decay_on_bias"


def test_a_bug_a_block() -> None:
    """Two blocks may have a bug each; three bugs are too many to be sure."""
    two = net(W1=-NET["W1"], W2=NET["W2"] / N)
    assert code(two, NET) == "extra_batch_mean+sign"
    assert code({**two, "b1": 2 * NET["b1"]}, NET) == ""
    assert code({**two, "b1": NET["b1"] ** 2}, NET) == ""


def test_variant_of_some_blocks() -> None:
    """A variant gives its blocks; the rest is right."""
    wrong = {"W1": NET["W1"] ** 2, "b1": NET["b1"] ** 2}
    context = replace(NET_CONTEXT, variants={"missing_derivative": wrong})
    assert code(net(**wrong), NET, context) == "missing_derivative"
    assert code(net(W1=wrong["W1"], b1=-NET["b1"]), NET, context) == "missing_derivative+sign"


def test_wrong_elements_in_two_blocks() -> None:
    """A wrong element in each of two blocks is not one wrong element."""
    W1, W2 = NET["W1"].copy(), NET["W2"].copy()
    W1[0, 0] = W2[0, 0] = 9.0
    assert code(net(W1=W1), NET) == "one_element"
    assert code(net(W1=W1, W2=W2), NET) == ""


def test_blocks_must_agree() -> None:
    """Gradients of different parameters are the author's slip."""
    with pytest.raises(ValueError, match="other blocks"):
        diagnose({"W": RIGHT}, NET)
    with pytest.raises(ValueError, match="shape of the gradient"):
        diagnose(-RIGHT, RIGHT, DiagnosisContext(parameters=THETA[0]))


# --- when nothing is said ---------------------------------------------------


@pytest.mark.parametrize("context", [None, COUNTS, DECAYING])
@pytest.mark.parametrize("noise", [0.0, 1e-15, 1e-12])
def test_right_gradient(context: DiagnosisContext | None, noise: float) -> None:
    """Nothing is said of a right gradient, be it rounded otherwise or in float32."""
    assert code(RIGHT * (1 + noise * THETA), context=context) == ""
    assert code(RIGHT.astype(np.float32), context=context) == ""
    assert code(NET, NET) == ""


@pytest.mark.parametrize("size", [1, 2])
def test_few_elements(size: int) -> None:
    """Two numbers fit too many explanations."""
    right = RIGHT[0, :size]
    assert code(-right, right) == ""
    assert code(-RIGHT[0, :3], RIGHT[0, :3]) == "sign"


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_not_finite(odd: float) -> None:
    """Numbers that are not finite are not explained."""
    assert code(changed((0, 0), odd)) == ""
    assert code(-RIGHT, changed((0, 0), odd)) == ""


def test_coarse_differences() -> None:
    """Where the error is as large as the mistake, nothing is certain."""
    context = replace(COUNTS, error_estimate=np.full((D, K), 0.1))
    assert code(2 * RIGHT, context=context) == ""
    assert code(2 * RIGHT, context=replace(context, error_estimate=np.full((D, K), 1e-4))) != ""


def test_a_few_unknown_differences() -> None:
    """Elements that could not be differentiated are passed over, unless they are many."""
    error = np.full((D, K), 1e-12)
    error[0, :4] = np.inf
    numeric = RIGHT.copy()
    numeric[0, :4] = 7.0
    context = replace(COUNTS, error_estimate=error)
    assert code(-RIGHT, numeric, context) == "sign"
    error[:3] = np.inf
    assert code(-RIGHT, numeric, context) == ""


def test_oddities() -> None:
    """What no name fits is left unnamed."""
    rng = np.random.default_rng(6)
    odd = [
        *(ODD * RIGHT, np.abs(RIGHT), RIGHT**2, np.sin(RIGHT), RIGHT + 1, np.exp(RIGHT)),
        *(rng.normal(size=(D, K)), RIGHT * rng.uniform(0.9, 1.1, size=(D, K))),
        *(RIGHT.cumsum(axis=0), RIGHT + THETA, np.sign(RIGHT), RIGHT * (rng.random((D, K)) > 0.5)),
    ]
    assert [code(wrong, context=replace(DECAYING, inputs=THETA)) for wrong in odd] == [""] * 12


# --- float32 ----------------------------------------------------------------


@pytest.mark.parametrize(("name", "number"), FACTORS.items())
def test_single_precision(name: str, number: float) -> None:
    """Gradients in float32 are compared by what float32 holds."""
    single = RIGHT.astype(np.float32) * np.float32(number)
    assert code(single) == name
    assert code(single * np.float32(1.001)) == ""


def test_double_precision_is_not_excused() -> None:
    """An error of float32's size in float64 code is a mistake of its own."""
    assert code(-RIGHT * (1 + 1e-6 * THETA)) == ""


# --- what is told -----------------------------------------------------------


def test_confidence_falls_with_complexity() -> None:
    """A single bug is surer than two, and two than a mere description."""
    found = [diagnose(a, RIGHT, COUNTS) for a in (-RIGHT, -N * RIGHT, changed((0, 0), 9.0))]
    confidences = [one.confidence for one in found if one]
    assert confidences == sorted(confidences, reverse=True)
    assert len(set(confidences)) == 3


def test_sentence_on_two_bugs() -> None:
    """Two bugs are told in one text, a sentence each."""
    found = diagnose(-N * RIGHT, RIGHT, COUNTS)
    assert found is not None
    assert found.text == (
        f"2 things are wrong at once. {SENTENCES['missing_batch_mean']} {SENTENCES['sign']}"
    )


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences(name: str) -> None:
    """Each code is a plain word, its text a sentence to the student without a formula in it."""
    text = SENTENCES[name]
    assert name.replace("_", "").isalpha()
    assert text[0].isupper()
    assert text[-1] in ".?"
    assert not any(sign in text for sign in "=@*`/")
