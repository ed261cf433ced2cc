"""The digits of section Q3: scikit-learn's, pixels from 0 to 1, unshuffled, cut in halves.

Run as a script, it writes the files that the release has beside its notebook.
"""

from pathlib import Path

import numpy as np
import sklearn.datasets

N_TRAIN = 898
FOLDER = Path(__file__).parent / "files" / "dataset"


def digits() -> dict[str, np.ndarray]:
    """`X_train` (898, 64), `X_test` (899, 64), and the labels `y_train`, `y_test`."""
    inputs, labels = sklearn.datasets.load_digits(return_X_y=True)
    inputs = inputs / 16
    return {
        "X_train": inputs[:N_TRAIN],
        "X_test": inputs[N_TRAIN:],
        "y_train": labels[:N_TRAIN],
        "y_test": labels[N_TRAIN:],
    }


def csv_files() -> dict[str, str]:
    """The content of each file by its name: no header, one line for each digit."""
    found = digits()
    pixels = {name: found[name] for name in ("X_train", "X_test")}
    lines = {name: [",".join(map(_pixel, row)) for row in rows] for name, rows in pixels.items()}
    lines |= {name: [f"{label}." for label in found[name]] for name in ("y_train", "y_test")}
    return {f"Digit_{name}.csv": "\n".join(part) + "\n" for name, part in lines.items()}


def _pixel(value: float) -> str:
    """As few characters as possible: .25 for a quarter."""
    return f"{value:g}".removeprefix("0") or "0"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, content in csv_files().items():
        (FOLDER / file).write_text(content, encoding="utf-8")
