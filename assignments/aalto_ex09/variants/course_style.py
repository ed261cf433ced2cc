# Decay first, np.multiply and np.tile, the slope written out.

# %% 2
def d_loss_by_d_model(model, data, wd_coefficient):
    ret = dict()

    # --your-code-starts-here--#
    def logistic_slope(z):
        return logistic(z) - logistic(z) ** 2

    hid_input, hid_output, _, _, class_prob = forward_pass(model, data)
    m = float(np.size(data["inputs"], 1))
    delta2 = np.subtract(class_prob, data["target"])
    delta1 = np.multiply(
        np.dot(np.transpose(model["hid_to_class"]), delta2), logistic_slope(hid_input)
    )
    ret["input_to_hid"] = np.multiply(wd_coefficient, model["input_to_hid"])
    ret["hid_to_class"] = np.multiply(wd_coefficient, model["hid_to_class"])
    ret["input_to_hid"] += np.dot(delta1, np.transpose(data["inputs"])) / m
    ret["hid_to_class"] += np.dot(delta2, np.transpose(hid_output)) / m
    # --your-code-ends-here--#
    return ret
