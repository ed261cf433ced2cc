"""Every error that the grader raises, and whose fault each one is.

::

    GraderError
    ├── UsageError                 what the user gave cannot be used; exit code 2
    │   ├── AssignmentError        an assignment's folder is missing or broken
    │   └── SubmissionError        a file that cannot be graded
    ├── ExecutionFault             the grader's own machinery failed; exit code 3
    └── StudentFault               the student's code did not do what a check asked
        ├── MissingName            a name that the question asks for is not defined
        ├── StudentRaised          the student's code raised an exception
        ├── StudentTimeout         the student's code did not finish in time
        ├── StudentDied            the student's process ended during a check
        └── UnreadableAnswer       the value that came back breaks the wire's rules

A `StudentFault` is an `AssertionError` too, so that a check which does not
catch it simply fails in any pytest run.
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of all errors that the grader raises on purpose."""


class UsageError(GraderError):
    """Something the user gave cannot be used; the message names the cure."""


class AssignmentError(UsageError):
    """An assignment's folder is missing, incomplete or contradicts itself."""


class SubmissionError(UsageError):
    """A file that cannot be graded: the message says which and why."""


class ExecutionFault(GraderError):
    """The grader's own machinery failed; never charged to a student."""


class StudentFault(GraderError, AssertionError):
    """The student's code did not do what a check asked of it."""


class MissingName(StudentFault):
    """A name that the question asks for is not defined at its snapshot."""


class StudentRaised(StudentFault):
    """The student's code raised while a check was calling it."""

    def __init__(self, message: str, exception: str) -> None:
        super().__init__(message)
        self.exception = exception


class StudentTimeout(StudentFault):
    """The student's code did not finish within the check's time limit."""


class StudentDied(StudentFault):
    """The process of the student's code ended while a check was calling it."""


class UnreadableAnswer(StudentFault):
    """The value that came back breaks the wire's rules on size, type or form."""
