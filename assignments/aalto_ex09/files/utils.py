"""Helpers of exercise 9: the data, the parameters as one column, the network's functions."""

from pathlib import Path

import numpy as np
from scipy.io import loadmat

N_INPUTS, N_CLASSES = 256, 10


def from_data_file(data_dir):
    """Read data.mat: {'train', 'val', 'test'} -> {'inputs': (256, N), 'target': (10, N)}."""
    data = loadmat(str(Path(data_dir, "data.mat")), simplify_cells=True)["data"]
    names = {"train": "training", "val": "validation", "test": "test"}
    return {
        short: {
            "inputs": np.asarray(data[name]["inputs"], dtype=float),
            "target": np.asarray(data[name]["targets"], dtype=float),
        }
        for short, name in names.items()
    }


def model_to_theta(model):
    """Both weight matrices, row by row, as one column."""
    parts = [model["input_to_hid"].reshape(-1, 1), model["hid_to_class"].reshape(-1, 1)]
    return np.vstack(parts)


def theta_to_model(theta):
    """The way back: a column as {'input_to_hid': (n_hid, 256), 'hid_to_class': (10, n_hid)}."""
    n_hid = theta.size // (N_INPUTS + N_CLASSES)
    flat = theta.reshape(-1)
    return {
        "input_to_hid": flat[: n_hid * N_INPUTS].reshape(n_hid, N_INPUTS),
        "hid_to_class": flat[n_hid * N_INPUTS :].reshape(N_CLASSES, n_hid),
    }


def initial_model(n_hid):
    """Weights to start with, the same for everybody: 0.1 cos(0, 1, 2, ...)."""
    return theta_to_model(0.1 * np.cos(np.arange(n_hid * (N_INPUTS + N_CLASSES))))


def logistic(z):
    """The logistic function of every element."""
    return 1.0 / (1.0 + np.exp(-z))


def log_sum_exp_over_rows(a):
    """log(sum(exp(column))) for each column of a; exp never overflows."""
    largest = a.max(axis=0)
    return largest + np.log(np.exp(a - largest).sum(axis=0))


def classification_performance(model, data):
    """The share of the cases that the model puts into a wrong class."""
    hid_output = logistic(model["input_to_hid"] @ data["inputs"])
    choices = (model["hid_to_class"] @ hid_output).argmax(axis=0)
    return float(np.mean(choices != data["target"].argmax(axis=0)))
