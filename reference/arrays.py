"""Array types shared by every module of the reference."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
Parameters: TypeAlias = dict[str, FloatArray]
