from .layers import double


class Loss:
    def __init__(self, offset):
        self.offset = offset

    def forward(self, x):
        ### BEGIN SOLUTION
        return double(x) + self.offset
        ### END SOLUTION
