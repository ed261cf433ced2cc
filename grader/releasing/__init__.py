"""What students get of an assignment, and nothing else."""

from grader.releasing.bundle import Bundle, make_bundle, write_bundle

__all__ = ["Bundle", "make_bundle", "write_bundle"]
