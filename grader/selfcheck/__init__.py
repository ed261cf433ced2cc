"""Self-check: the visible checks, for students at home and for CI."""

from grader.selfcheck.checking import check_at_home, exit_code, select
from grader.selfcheck.finding import Work, find_work

__all__ = ["Work", "check_at_home", "exit_code", "find_work", "select"]
