"""The digits of section 1.6, normalised and split as the notebook does it."""

import numpy as np
import sklearn.datasets

TRAIN_PROPORTION = 0.5
SPLIT_SEED = 12345


def digits() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """`x` and `y` as the notebook has them: arrays under the keys "train" and "test"."""
    dataset = sklearn.datasets.load_digits()
    features = dataset["data"] - np.mean(dataset["data"])
    features = features / np.std(features)
    labels = (dataset["target"] < 5).astype(float)

    count = int(features.shape[0] * TRAIN_PROPORTION)
    order = np.random.default_rng(SPLIT_SEED).permutation(features.shape[0])
    parts = {"train": order[:count], "test": order[count:]}
    x = {phase: features[rows] for phase, rows in parts.items()}
    y = {phase: labels[rows] for phase, rows in parts.items()}
    return x, y
