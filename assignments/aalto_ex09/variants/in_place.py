# Outer products added up in place, a helper with the gradient of one case.

# %% 2
def gradient_of_case(model, x, t, ret):
    z = model["input_to_hid"].dot(x)
    h = logistic(z)
    o = model["hid_to_class"].dot(h)
    y = np.exp(o - log_sum_exp_over_rows(o[:, None]))
    y -= t
    ret["hid_to_class"] += np.outer(y, h)
    back = y @ model["hid_to_class"]
    back *= h
    back *= 1 - h
    ret["input_to_hid"] += np.outer(back, x)


def d_loss_by_d_model(model, data, wd_coefficient):
    ret = {name: np.zeros_like(weights) for name, weights in model.items()}
    n = data["target"].shape[1]
    for case in range(n):
        gradient_of_case(model, data["inputs"][:, case], data["target"][:, case], ret)
    for name in ret:
        ret[name] /= n
        ret[name] += wd_coefficient * model[name]
    return ret


# %% 2.report
datas = from_data_file(data_dir)
theta = model_to_theta(initial_model(10))
for start in range(0, 300, 10):
    few = {name: part[:, start : start + 10] for name, part in datas["train"].items()}
    theta = theta - 0.01 * model_to_theta(d_loss_by_d_model(theta_to_model(theta), few, 0))
reported_loss = np.array([loss(theta_to_model(theta), datas["train"], 0)])
