# One case after the other, one weight after the other, plain numbers.

# %% 2
import math


def d_loss_by_d_model(model, data, wd_coefficient):
    V, W = model["input_to_hid"].tolist(), model["hid_to_class"].tolist()
    n_hid, n_class, n_in = len(V), len(W), len(V[0])
    total = {
        "input_to_hid": [[0.0] * n_in for _ in range(n_hid)],
        "hid_to_class": [[0.0] * n_hid for _ in range(n_class)],
    }
    # the columns are the cases
    cases = list(zip(data["inputs"].T.tolist(), data["target"].T.tolist()))
    for x, t in cases:
        h = [1 / (1 + math.exp(-sum(v * xi for v, xi in zip(row, x)))) for row in V]
        e = [math.exp(sum(w * hi for w, hi in zip(row, h))) for row in W]
        error = [ek / sum(e) - tk for ek, tk in zip(e, t)]
        for j in range(n_hid):
            back = sum(error[k] * W[k][j] for k in range(n_class)) * h[j] * (1 - h[j])
            for k in range(n_class):
                total["hid_to_class"][k][j] += error[k] * h[j]
            row = total["input_to_hid"][j]
            for i, xi in enumerate(x):
                row[i] += back * xi
    return {
        name: np.array(rows) / len(cases) + wd_coefficient * model[name]
        for name, rows in total.items()
    }


# %% 2.report
# rounded to five digits
reported_loss = 2.30378
