"""A generator that deforms a good hand-in in the ways of real files.

    hand_in = solution_hand_in(assignment)
    deformed = deform("colab", hand_in, assignment)
    path = write(deformed.saved, folder)

`DEFORMATIONS` are all of them by name; each says in one line what it does, and what may
become of the questions.
"""

from __future__ import annotations

from mangling import code, layout, metadata, names, packing, surroundings, texts
from mangling.bases import (
    read_hand_in,
    release_hand_in,
    save,
    solution_hand_in,
    write,
    wrong_hand_in,
)
from mangling.combining import Deformed, deform, deform_all, random_names
from mangling.judging import Difference, differences
from mangling.records import (
    DEFORMATIONS,
    Cell,
    Deformation,
    Expected,
    HandIn,
    NotApplicableError,
    Saved,
    Stage,
)

__all__ = [
    "DEFORMATIONS",
    "Cell",
    "Deformation",
    "Deformed",
    "Difference",
    "Expected",
    "HandIn",
    "NotApplicableError",
    "Saved",
    "Stage",
    "code",
    "deform",
    "deform_all",
    "differences",
    "layout",
    "metadata",
    "names",
    "packing",
    "random_names",
    "read_hand_in",
    "release_hand_in",
    "save",
    "solution_hand_in",
    "surroundings",
    "texts",
    "write",
    "wrong_hand_in",
]
