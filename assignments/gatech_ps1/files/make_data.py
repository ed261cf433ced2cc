"""Writes data/mnist_train.csv and data/mnist_test.csv in MNIST's shape, without a network.

The images are scikit-learn's 8 x 8 digits, enlarged to 24 x 24 with a frame of 2 pixels around
them; a row is "label,p0,...,p783" with pixels from 0 to 255. Put the real MNIST files in their
place where you have them.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TEST_IMAGES = 300


def images_and_labels():
    """Pixels (1797, 784) from 0 to 255, and labels (1797,)."""
    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(int)
    enlarged = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), [(0, 0), (2, 2), (2, 2)])
    return enlarged.reshape(len(enlarged), -1), digits.target


def write_csv(path, images, labels):
    rows = np.column_stack([labels, images])
    np.savetxt(path, rows, fmt="%d", delimiter=",")


if __name__ == "__main__":
    folder = Path("data")
    folder.mkdir(exist_ok=True)
    images, labels = images_and_labels()
    write_csv(folder / "mnist_train.csv", images[TEST_IMAGES:], labels[TEST_IMAGES:])
    write_csv(folder / "mnist_test.csv", images[:TEST_IMAGES], labels[:TEST_IMAGES])
