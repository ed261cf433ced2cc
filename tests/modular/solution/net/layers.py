def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
