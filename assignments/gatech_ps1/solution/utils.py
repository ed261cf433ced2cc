import random

import matplotlib.pyplot as plt
import numpy as np


def load_csv(path):
    """Rows "label,p0,...,p783" as a list of images, scaled to [0, 1], and a list of labels."""
    images, labels = [], []
    with open(path) as file:
        for row in file:
            label, *pixels = row.strip().split(",")
            images.append([int(pixel) / 255 for pixel in pixels])
            labels.append(int(label))
    return images, labels


def load_mnist_trainval():
    """Four fifths of the training file for training, the rest for validation."""
    images, labels = load_csv("./data/mnist_train.csv")
    count = int(len(images) * 0.8)
    return images[:count], labels[:count], images[count:], labels[count:]


def load_mnist_test():
    return load_csv("./data/mnist_test.csv")


def generate_batched_data(data, label, batch_size=32, shuffle=False, seed=None):
    """Splits images and labels, both lists, into batches; the last one may be smaller.

    With `shuffle` the images are put in a random order first, each with its label; the same
    `seed` gives the same order. Returns a list of arrays (n, 784) and a list of arrays (n,).
    """
    ### BEGIN SOLUTION
    order = list(range(len(data)))
    if shuffle:
        random.Random(seed).shuffle(order)
    chunks = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    batched_data = [np.array([data[i] for i in chunk]) for chunk in chunks]
    batched_label = [np.array([label[i] for i in chunk]) for chunk in chunks]
    return batched_data, batched_label
    ### END SOLUTION


def train(epoch, batched_data, batched_label, model, optimizer, debug=True):
    """One pass over the training batches; the mean loss and the accuracy."""
    losses, hits, count = [], 0.0, 0
    for number, (X, y) in enumerate(zip(batched_data, batched_label)):
        loss, accuracy = model.forward(X, y)
        optimizer.update(model)
        losses.append(loss)
        hits, count = hits + accuracy * len(y), count + len(y)
        if debug and number % 10 == 0:
            print(f"epoch {epoch}, batch {number}: loss {loss:.4f}, accuracy {accuracy:.4f}")
    return np.mean(losses), hits / count


def evaluate(batched_data, batched_label, model):
    """The mean loss and the accuracy, without any training."""
    losses, hits, count = [], 0.0, 0
    for X, y in zip(batched_data, batched_label):
        loss, accuracy = model.forward(X, y, mode="valid")
        losses.append(loss)
        hits, count = hits + accuracy * len(y), count + len(y)
    return np.mean(losses), hits / count


def plot_curves(train_loss, train_accuracy, valid_loss, valid_accuracy):
    """The learning curves, epoch by epoch."""
    curves = {"loss": (train_loss, valid_loss), "accuracy": (train_accuracy, valid_accuracy)}
    for name, (training, validation) in curves.items():
        plt.figure()
        plt.plot(training, label="training")
        plt.plot(validation, label="validation")
        plt.xlabel("epoch")
        plt.ylabel(name)
        plt.legend()
        plt.show()
