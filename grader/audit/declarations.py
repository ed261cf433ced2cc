"""What an author says of generic mutants, in mutants.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field

import cattrs
from cattrs.errors import BaseValidationError

from grader.assignment import Assignment
from grader.errors import AssignmentError


@dataclass(frozen=True)
class Explanation:
    """A generic mutant by name, and why no check kills it."""

    name: str
    why: str


@dataclass(frozen=True)
class Declarations:
    """`equivalent` mutants are right answers; a `survivor` is wrong, and let pass knowingly."""

    equivalent: dict[str, str] = field(default_factory=dict)
    survivor: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every mutant that something is said of."""
        return [*self.equivalent, *self.survivor]


def load_declarations(assignment: Assignment) -> Declarations:
    """The tables `[[equivalent]]` and `[[survivor]]` of mutants.toml.

    Raises:
        AssignmentError: the file is broken, or an explanation is missing or given twice.
    """
    path = assignment.folder / "mutants.toml"
    if not path.is_file():
        return Declarations()
    converter = cattrs.Converter(forbid_extra_keys=True)
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = {
            kind: converter.structure(written.get(kind, []), tuple[Explanation, ...])
            for kind in ("equivalent", "survivor")
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssignmentError(f"{path}: {error}") from error
    except BaseValidationError as error:
        raise AssignmentError(f"{path}: {'; '.join(cattrs.transform_error(error))}") from error
    said = [explanation for table in tables.values() for explanation in table]
    for explanation in said:
        if not explanation.why.strip():
            raise AssignmentError(f"{path}: {explanation.name}: why is it so?")
    if len({explanation.name for explanation in said}) != len(said):
        raise AssignmentError(f"{path}: a generic mutant is explained twice")
    return Declarations(**{kind: {e.name: e.why for e in t} for kind, t in tables.items()})
