from ._base_optimizer import _BaseOptimizer


class SGD(_BaseOptimizer):
    """Stochastic gradient descent."""

    def update(self, model):
        """One step for everything in model.weights, with the penalty in model.gradients."""
        ### BEGIN SOLUTION
        self.apply_regularization(model)
        for name in model.weights:
            step = self.learning_rate * model.gradients[name]
            model.weights[name] = model.weights[name] - step
        ### END SOLUTION
