"""The code of ours that runs beside a student's: it holds no verdict and no expected value.

This folder is copied next to each kernel under another name. It imports the
standard library, numpy and ipykernel, and nothing of `grader`.
"""
