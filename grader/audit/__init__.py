"""Proves an assignment's checks: its promises, and the bugs that they let pass."""

from grader.audit.planting import (
    Mutant,
    Variant,
    as_submission,
    load_mutants,
    load_variants,
    plant,
    release_submission,
    rewrite,
    solution_submission,
)

__all__ = [
    "Mutant",
    "Variant",
    "as_submission",
    "load_mutants",
    "load_variants",
    "plant",
    "release_submission",
    "rewrite",
    "solution_submission",
]
