"""The names of typical bugs in a gradient: a code each, and what a student reads.

A sentence says what the numbers show and where to look; it never gives the
right formula.
"""

from __future__ import annotations

from collections.abc import Sequence

SENTENCES = {
    # One factor too many or too few.
    "sign": "Your gradient has the right size but the opposite sign everywhere: follow the minus "
    "signs from the loss backwards.",
    "factor_two": "Your gradient is exactly twice as large as it should be: look for a constant "
    "that the loss and its gradient do not share.",
    "factor_half": "Your gradient is exactly half as large as it should be: look for a constant "
    "that the loss and its gradient do not share.",
    "missing_batch_mean": "Your gradient is too large by a factor that equals the size of the "
    "batch: does it treat the batch in the way the loss does, summed or averaged?",
    "extra_batch_mean": "Your gradient is too small by a factor that equals the size of the "
    "batch: does it treat the batch in the way the loss does, summed or averaged?",
    "missing_class_mean": "Your gradient is too large by a factor that equals the number of "
    "outputs: over what does the loss average, and over what your gradient?",
    "extra_class_mean": "Your gradient is too small by a factor that equals the number of "
    "outputs: over what does the loss average, and over what your gradient?",
    "missing_feature_mean": "Your gradient is too large by a factor that equals the number of "
    "features: over what does the loss average, and over what your gradient?",
    "extra_feature_mean": "Your gradient is too small by a factor that equals the number of "
    "features: over what does the loss average, and over what your gradient?",
    "missing_hidden_mean": "Your gradient is too large by a factor that equals the number of "
    "hidden units: over what does the loss average, and over what your gradient?",
    "extra_hidden_mean": "Your gradient is too small by a factor that equals the number of "
    "hidden units: over what does the loss average, and over what your gradient?",
    "count_off_by_one": "Your gradient is off by a factor that comes from counting one example "
    "too many or too few: by what do you divide?",
    "learning_rate": "Your gradient is scaled by the learning rate: the gradient itself does not "
    "know the size of a step.",
    "normalised": "Your gradient points the right way, but its length is always 1: it is divided "
    "by its own norm.",
    # Weight decay.
    "weight_decay_missing": "Your gradient lacks the contribution of the weight decay.",
    "weight_decay_sign": "The weight decay enters your gradient with the wrong sign.",
    "weight_decay_doubled": "The weight decay counts twice in your gradient: compare the "
    "constants in the penalty with those in its derivative.",
    "weight_decay_halved": "The weight decay counts half in your gradient: compare the constants "
    "in the penalty with those in its derivative.",
    "weight_decay_averaged": "The weight decay in your gradient is divided by the size of the "
    "batch: is the penalty averaged, too?",
    "weight_decay_summed": "The weight decay in your gradient is multiplied by the size of the "
    "batch: does the penalty count once for each example?",
    "weight_decay_unscaled": "The weight decay in your gradient does not depend on its strength: "
    "a coefficient is not used.",
    "weight_decay_on_bias": "Your gradient applies weight decay to the bias: does the loss do so?",
    "weight_decay_wrong": "Your gradient differs from the right one by a multiple of the "
    "parameters themselves: look at the weight decay.",
    # The chain rule.
    "missing_derivative": "A factor of the chain rule is missing: your gradient passes what comes "
    "from above through the activation as it is.",
    "extra_derivative": "A factor of the chain rule stands in your gradient twice: look at which "
    "derivatives are already contained in what you start from.",
    "derivative_at_activation": "You take the derivative of the activation at the wrong place: "
    "compare what goes into the activation with what comes out of it.",
    "argument_as_output": "Your derivative is right for a function that is given the activation's "
    "output: look at what its argument is here.",
    "activation_for_derivative": "You use the activation itself where its derivative belongs.",
    "derivative_of_upstream": "You take the derivative of the activation at the gradient that "
    "comes from above: at what point does it belong?",
    "upstream_ignored": "Your gradient does not depend on the gradient that comes from above: "
    "what does the chain rule do with it?",
    "updated_weights": "Your gradient uses weights that have already been updated: compute all "
    "gradients before you change any parameter.",
    "stale_cache": "Your gradient belongs to an earlier input: look at when the values that your "
    "backward pass uses are stored.",
    # Sums, axes and shapes.
    "transposed": "Your gradient holds the right numbers with rows and columns mixed up: look "
    "at what you transpose or reshape.",
    "wrong_order": "Your gradient holds the right numbers at the wrong places: look at what you "
    "reshape, sort or flip.",
    "wrong_shape": "The numbers of your gradient are right, but its shape is not that of the "
    "parameter.",
    "not_summed": "Your gradient still has one entry for each example: how do the examples of a "
    "batch share one parameter?",
    "wrong_axis": "You sum over the wrong axis: which axis of your array runs over the examples?",
    "summed_over_everything": "You sum over all axes at once: which one runs over the examples?",
    "one_example_only": "Your gradient takes a single example of the batch into account: what "
    "happens to the others?",
    "broadcast": "Two arrays of shapes (n,) and (n, 1) meet in your code and become a table of "
    "n by n: print the shapes of both.",
    # Losses.
    "softmax_whole_batch": "Your softmax is taken over the whole batch at once: which numbers "
    "should add up to 1?",
    "softmax_wrong_axis": "Your softmax is taken along the wrong axis: which numbers should add "
    "up to 1?",
    "labels_ignored": "Your gradient does not depend on the labels.",
    "missing_activation": "Your gradient uses the scores where the probabilities belong: which "
    "step of the forward pass is left out?",
    "gradient_for_logit": "Your gradient is the one for the scores before the activation: for "
    "which variable is it asked?",
    "gradient_for_probability": "Your gradient is the one for the probabilities: for which "
    "variable is it asked?",
    "second_term_sign": "The two terms of your gradient are joined with the wrong sign: derive "
    "each of them for itself.",
    "second_term_missing": "One of the two terms is missing: what does an example of the other "
    "class contribute?",
    "swapped_arguments": "The labels and the predictions have changed places.",
    # What the numbers alone show.
    "all_zero": "Every element of your gradient is 0.",
    "integer": "The numbers in your gradient are cut to whole numbers: look for an array of "
    "integers that they are written into.",
    "clipping": "Large elements of your gradient are cut off at a fixed value: something is "
    "clipped on the way.",
    "one_element": "All elements of your gradient but one are right: what is special about it?",
    "one_row": "All rows of your gradient but one are right: what is special about it?",
    "one_column": "All columns of your gradient but one are right: what is special about it?",
}


def sentence(code: str) -> str:
    """What a student reads about a bug of ours.

    Raises:
        ValueError: the code is not one of ours, so that its author must give a sentence.
    """
    if code not in SENTENCES:
        raise ValueError(f"the diagnosis {code!r} needs a sentence: give (sentence, array)")
    return SENTENCES[code]


def joined_code(parts: Sequence[str]) -> str:
    """The code of several bugs at once; the order of their finding is lost."""
    return "+".join(sorted(set(parts)))


def joined_text(sentences: Sequence[str]) -> str:
    """The sentences on several bugs at once."""
    if len(sentences) == 1:
        return sentences[0]
    return f"{len(sentences)} things are wrong at once. {' '.join(sentences)}"
