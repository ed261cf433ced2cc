from .layers import double
from .loss import Loss
