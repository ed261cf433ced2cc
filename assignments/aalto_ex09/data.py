"""The handwritten digits in the course's file format: a stand-in where its own are not to be had.

`python data.py` writes files/data.mat, which the release has beside the notebook. The course's own
data.mat may take its place; the checks compute with what lies there.
"""

import io
from pathlib import Path

import numpy as np
import scipy.io

FILE = Path(__file__).parent / "files" / "data.mat"
PARTS = {"training": 1000, "validation": 370, "test": 370}
NAMES = {"train": "training", "val": "validation", "test": "test"}
SEED = 9
N_CLASSES = 10


def digits() -> dict[str, dict[str, np.ndarray]]:
    """scikit-learn's digits: inputs (256, N) in [0, 1] and one-hot targets (10, N) by part.

    Any ten columns from a multiple of ten on hold each digit once, so that small mini-batches are
    balanced. The pixels are squared, which thins the strokes: the course's images are as dark.
    """
    # Needed to write the file, not to grade.
    import sklearn.datasets

    dataset = sklearn.datasets.load_digits()
    order = _balanced(dataset.target, sum(PARTS.values()) // N_CLASSES)
    # 8 by 8 pixels become 16 by 16: each one is drawn four times.
    images = np.kron(dataset.images[order] / 16.0, np.ones((1, 2, 2))) ** 2
    inputs = images.reshape(len(images), -1).T
    targets = np.eye(N_CLASSES)[:, dataset.target[order]]
    ends = np.cumsum(list(PARTS.values()))[:-1]
    split = zip(np.split(inputs, ends, axis=1), np.split(targets, ends, axis=1), strict=True)
    return {part: {"inputs": x, "targets": t} for part, (x, t) in zip(PARTS, split, strict=True)}


def _balanced(labels: np.ndarray, rounds: int) -> np.ndarray:
    """The places of one case of each class in random order, `rounds` times over."""
    rng = np.random.default_rng(SEED)
    by_class = [rng.permutation(np.flatnonzero(labels == k))[:rounds] for k in range(N_CLASSES)]
    return np.concatenate([rng.permutation(cases) for cases in np.stack(by_class, axis=1)])


def write(path: Path) -> None:
    """Writes the digits as the structure that the course's notebook reads."""
    content = io.BytesIO()
    scipy.io.savemat(content, {"data": digits()}, do_compression=True, oned_as="column")
    raw = bytearray(content.getvalue())
    # The first 116 bytes are a comment with the time of writing.
    raw[:116] = b"MATLAB 5.0 MAT-file, handwritten digits".ljust(116)
    path.write_bytes(raw)


def read(path: Path = FILE) -> dict[str, dict[str, np.ndarray]]:
    """The parts of a data.mat by the notebook's names, with the keys `inputs` and `target`."""
    data = scipy.io.loadmat(path, simplify_cells=True)["data"]
    return {
        ours: {
            "inputs": np.asarray(data[theirs]["inputs"], dtype=float),
            "target": np.asarray(data[theirs]["targets"], dtype=float),
        }
        for ours, theirs in NAMES.items()
    }


if __name__ == "__main__":
    write(FILE)
