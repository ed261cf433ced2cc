class _BaseOptimizer:
    """What optimizers share: the learning rate, and the coefficient `reg` of the L2 penalty."""

    def __init__(self, learning_rate=1e-4, reg=1e-3):
        self.learning_rate = learning_rate
        self.reg = reg

    def update(self, model):
        raise NotImplementedError("each optimizer has its own")

    def apply_regularization(self, model):
        """Adds the gradient of reg / 2 * (sum of all squared weights) to model.gradients.

        Only weights are penalised, biases are not.
        """
        ### BEGIN SOLUTION
        for name, value in model.weights.items():
            if name.startswith("W"):
                model.gradients[name] = model.gradients[name] + self.reg * value
        ### END SOLUTION
