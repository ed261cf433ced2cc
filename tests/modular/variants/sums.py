# %% net/layers.py
def double(x):
    return x + x


half = lambda x: 0.5 * x

# %% e
total = 1 + 2
