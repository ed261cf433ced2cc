"""5.batching: utils.generate_batched_data."""

import numpy as np
import pytest
from gatech_ps1_shared import method

from grader.checks import assert_close, assert_shape, assert_tuple

DROPPED = "the last examples are in no batch: the data need not be a multiple of the batch size"

# Runs in the student's process: images and labels are lists there, as `load_csv` makes them.
AS_LISTS = """
def nn_as_lists(generate, data, label, settings):
    return generate(data.tolist(), label.tolist(), **settings)
"""


def images(n, width=784):
    """Images and labels, all different: the label says which image it is."""
    data = np.random.default_rng(n).uniform(size=(n, width))
    return data, 3 * np.arange(n) % 101


def batches(student, data, label, **settings):
    """Two lists of arrays, batch by batch of the same length."""
    generate = method(student.module("utils"), "generate_batched_data")
    student.execute(AS_LISTS)
    result = student.nn_as_lists(generate, data, label, settings)
    assert_tuple(result, 2, name="generate_batched_data(...)")
    for part, what in zip(result, ("the data", "the labels"), strict=True):
        is_list = isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.ndim)
        assert is_list, f"the batches of {what} are not a list, but a {type(part).__name__}"
    assert len(result[0]) == len(result[1]), "there are not as many batches of labels as of data"
    return result


def joined(student, data, label, **settings):
    """All rows and labels in the order of the batches."""
    batched_data, batched_label = batches(student, data, label, **settings)
    pairs = zip(batched_data, batched_label, strict=True)
    arrays = [(np.asarray(rows), np.asarray(labels)) for rows, labels in pairs]
    for number, (rows, labels) in enumerate(arrays, start=1):
        shape = (len(np.atleast_1d(labels)), len(data[0]))
        assert_shape(rows, shape, name=f"batch {number} of the data")
        assert_shape(labels.reshape(-1), (len(rows),), name=f"batch {number} of the labels")
    rows = np.concatenate([rows for rows, _ in arrays])
    return rows, np.concatenate([labels.reshape(-1) for _, labels in arrays])


@pytest.mark.question("5.batching", points=0.3)
def test_batches(student):
    """Without shuffling the batches hold the examples in their order."""
    data, label = images(12)
    batched_data, batched_label = batches(student, data, label, batch_size=4)
    assert len(batched_data) == 3, f"12 images make {len(batched_data)} batches of 4"
    for number in range(3):
        rows = slice(4 * number, 4 * number + 4)
        assert_close(batched_data[number], data[rows], name=f"batch {number + 1} of the data")
        assert_close(batched_label[number], label[rows], name=f"batch {number + 1} of the labels")


@pytest.mark.question("5.batching", points=0.25)
def test_last_batch(student):
    """Where the batch size does not divide the data, the last batch is smaller."""
    for n, size in [(13, 5), (3, 8), (7, 6)]:
        data, label = images(n)
        batched_data, _ = batches(student, data, label, batch_size=size)
        sizes = [len(np.atleast_1d(part)) for part in batched_data]
        expected = [size] * (n // size) + [n % size]
        assert sum(sizes) >= n, DROPPED
        assert sizes == expected, f"{n} images make batches of {sizes}, not of {expected}"
        rows, labels = joined(student, data, label, batch_size=size)
        assert_close(rows, data, name="the rows of all batches")
        assert_close(labels, label, name="the labels of all batches")


@pytest.mark.question("5.batching", points=0.3)
def test_shuffling(student):
    """With shuffling every example occurs once, in another order, and keeps its own label."""
    data, label = images(61)
    rows, labels = joined(student, data, label, batch_size=8, shuffle=True, seed=3)
    # Labels are those of the rows and all different: they say where each row was.
    origin = {value: place for place, value in enumerate(label.tolist())}
    assert sorted(labels.tolist()) == sorted(label.tolist()), "not every label occurs exactly once"
    order = [origin[value] for value in labels.tolist()]
    assert order != sorted(order), "the order is that of the data: nothing was shuffled"
    assert_close(rows, data[order], name="the rows, in the order of their labels")


@pytest.mark.question("5.batching", points=0.15, hidden=True)
def test_seed(student):
    """The same seed gives the same order, and another seed another one."""
    data, label = images(61, width=3)
    settings = {"batch_size": 8, "shuffle": True}
    orders = [joined(student, data, label, seed=s, **settings)[1].tolist() for s in (5, 5, 6)]
    assert orders[0] == orders[1], "the same seed gave two different orders"
    assert orders[0] != orders[2], "another seed gave the same order"
