"""nn-grader: autograding for neural-network coursework."""

from grader.assignment import load_assignment
from grader.pipeline import grade

__all__ = ["grade", "load_assignment"]
