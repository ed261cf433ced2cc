"""The checks that students may have: visible ones, with the helpers that they need.

A visible check is released unless its author says `released=False`, or it
cannot or must not go home: it reads what only the grader has (`reference`, the
assignment's own files), or an answer of the solution or of a variant stands in
its code. `released=True` overrides the last of these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.releasing.answers import answer_expressions, answer_in
from grader.releasing.sources import Source, Statement, Test, imported, without

READERS = {"load_module", "open", "read_text", "read_bytes", "loadtxt", "import_module"}
Place = tuple[str, int]
"""A statement: the name of its file and its number in it."""


@dataclass(frozen=True)
class Withheld:
    """A visible check that stays with the grader, and why."""

    question: str
    name: str
    reason: str


@dataclass(frozen=True)
class VisibleChecks:
    """The files of the released checks, below checks/, and what was left out.

    `hidden` are the hidden checks, as `file::function`, and `questions` those that
    have a released one.
    """

    files: Mapping[str, str]
    released: tuple[str, ...]
    withheld: tuple[Withheld, ...]
    hidden: tuple[str, ...]
    questions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Check:
    """One check function and the arguments of its marker."""

    place: Place
    node: Test
    question: str
    hidden: bool
    released: bool | None


def visible_checks(assignment: Assignment) -> VisibleChecks:
    """The released part of an assignment's checks.

    Raises:
        AssignmentError: a file cannot be read, or a marker leaves open who may see a check.
    """
    sources = {source.name: source for source in _read(assignment)}
    checks = [check for source in sources.values() for check in _checks(source)]
    graph = _Graph(sources)
    answers = answer_expressions(assignment)
    kept, withheld = [], []
    for check in checks:
        if not check.hidden:
            reason = _reason(check, graph, answers)
            if reason:
                withheld.append(Withheld(check.question, check.node.name, reason))
            else:
                kept.append(check)
    return VisibleChecks(
        files=_files(sources, graph, kept, checks),
        released=tuple(check.node.name for check in kept),
        withheld=tuple(withheld),
        hidden=tuple(f"{check.place[0]}::{check.node.name}" for check in checks if check.hidden),
        questions=frozenset(check.question for check in kept),
    )


def _read(assignment: Assignment) -> Iterable[Source]:
    for path in sorted(assignment.checks.rglob("*.py")):
        name = path.relative_to(assignment.checks).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
            yield Source(name, text, ast.parse(text))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise AssignmentError(f"{path}: this is not Python: {error}") from error


# --- markers ------------------------------------------------------------------


def _checks(source: Source) -> list[_Check]:
    if not source.is_test_file:
        return []
    everywhere = [
        statement.node.value
        for statement in source.statements
        if isinstance(statement.node, ast.Assign) and "pytestmark" in statement.defines
    ]
    found = []
    for number, statement in enumerate(source.statements):
        node = statement.node
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            raise AssignmentError(
                f"checks/{source.name}: {node.name}: checks that are released are functions, "
                "not methods of a class"
            )
        if isinstance(node, Test) and node.name.startswith("test"):
            marks = [*node.decorator_list, *everywhere]
            found.append(_check(source, (source.name, number), node, marks))
    return found


def _check(source: Source, place: Place, node: Test, marks: list[ast.expr]) -> _Check:
    calls = [part for mark in marks for part in ast.walk(mark) if isinstance(part, ast.Call)]
    # The marker nearest to the function counts, as it does for pytest.
    own = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "question"]
    where = f"checks/{source.name}: {node.name}"
    if not own:
        raise AssignmentError(f"{where}: the check has no @pytest.mark.question")
    values = {keyword.arg: keyword.value for keyword in own[0].keywords}
    if None in values:
        raise AssignmentError(f"{where}: write out the marker's arguments, without **")
    question = own[0].args[0] if own[0].args else values.get("question")
    return _Check(
        place=place,
        node=node,
        question=str(_literal(question, where)),
        # hidden is the marker's third argument.
        hidden=bool(_literal(values.get("hidden", _third(own[0])), where)),
        released=_flag(values.get("released"), where),
    )


def _flag(node: ast.expr | None, where: str) -> bool | None:
    value = _literal(node, where)
    return None if value is None else bool(value)


def _third(call: ast.Call) -> ast.expr | None:
    return call.args[2] if len(call.args) > 2 else None


def _literal(node: ast.expr | None, where: str) -> object:
    if node is None:
        return None
    if not isinstance(node, ast.Constant):
        raise AssignmentError(
            f"{where}: the marker must say in so many words who may see the check, "
            f"not {ast.unparse(node)}"
        )
    return node.value


# --- what a check needs ---------------------------------------------------------


class _Graph:
    """Which statements need which, across the files of checks/."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.modules = {source.module: source for source in sources.values()}
        self.conftests = [s for s in sources.values() if s.name.endswith("conftest.py")]

    def statement(self, place: Place) -> Statement:
        name, number = place
        return self.sources[name].statements[number]

    def closure(self, roots: Iterable[Place]) -> set[Place]:
        """The statements that these need, themselves included."""
        found: set[Place] = set()
        waiting = list(roots)
        while waiting:
            place = waiting.pop()
            if place not in found:
                found.add(place)
                waiting += self._needed(place)
        return found

    def _needed(self, place: Place) -> list[Place]:
        source = self.sources[place[0]]
        statement = self.statement(place)
        needed = [p for name in statement.uses for p in self.definers(source, name)]
        return needed + self._imported(statement.node)

    def definers(self, source: Source, name: str) -> list[Place]:
        """The statements that define a name, in the file or as a fixture in conftest.py."""
        for candidate in (source, *self.conftests):
            places = [
                (candidate.name, number)
                for number, statement in enumerate(candidate.statements)
                if name in statement.defines
            ]
            if places:
                return places
        return []

    def _imported(self, node: ast.stmt) -> list[Place]:
        """What an import needs of another file of checks/."""
        if isinstance(node, ast.Import):
            files = [self.modules[a.name] for a in node.names if a.name in self.modules]
            return [(f.name, n) for f in files for n in range(len(f.statements))]
        if not isinstance(node, ast.ImportFrom) or node.module not in self.modules:
            return []
        file = self.modules[node.module]
        wanted = [alias.name for _, alias in imported(node)]
        if "*" in wanted:
            return [(file.name, n) for n in range(len(file.statements))]
        return []

    def used_imports(self, places: set[Place]) -> dict[Place, set[str]]:
        """For each import among `places`, the names that others of them use."""
        used: dict[Place, set[str]] = {}
        for place in places:
            names = {name for name, _ in imported(self.statement(place).node)}
            if names:
                others = [self.statement(p).uses for p in places if p[0] == place[0] and p != place]
                kept = {name for name in names if name == "*" or any(name in u for u in others)}
                used[place] = kept | (names & {"annotations"})
        return used


def _reason(check: _Check, graph: _Graph, answers: frozenset[str]) -> str:
    """Why a visible check is not released; empty where it is."""
    if check.released is False:
        return "its author keeps it"
    nodes = [graph.statement(place).node for place in full_closure(graph, [check.place])]
    for node in nodes:
        if outside := _reads_outside(node):
            return outside
    if check.released:
        return ""
    for node in nodes:
        if answer := answer_in(node, answers):
            return f"an answer stands in it: {answer}"
    return ""


def full_closure(graph: _Graph, roots: Iterable[Place]) -> set[Place]:
    """The statements that these need, in other files only the ones that are used by name."""
    found = graph.closure(roots)
    while True:
        more = set(found)
        for place, names in graph.used_imports(found).items():
            node = graph.statement(place).node
            if isinstance(node, ast.ImportFrom) and node.module in graph.modules:
                file = graph.modules[node.module]
                originals = {a.name for bound, a in imported(node) if bound in names}
                more |= {p for name in originals for p in graph.definers(file, name)}
        if more == found:
            return found
        found = graph.closure(more)


def _reads_outside(node: ast.stmt) -> str:
    for part in ast.walk(node):
        modules = [a.name for a in part.names] if isinstance(part, ast.Import) else []
        if isinstance(part, ast.ImportFrom):
            modules = [str(part.module)]
        if any(name.split(".")[0] == "reference" for name in modules):
            return "it imports reference"
        name = getattr(part, "attr", "") or getattr(part, "id", "")
        if name in READERS or name == "__file__":
            return f"it reads the assignment's own files ({name})"
    return ""


# --- files ----------------------------------------------------------------------


def _files(
    sources: Mapping[str, Source], graph: _Graph, kept: list[_Check], checks: list[_Check]
) -> dict[str, str]:
    tests = {check.place for check in checks}
    places = full_closure(graph, [check.place for check in kept])
    places |= full_closure(graph, _always(sources, {place[0] for place in places}))
    if leaked := places & (tests - {check.place for check in kept}):
        name = graph.statement(min(leaked)).node
        raise AssignmentError(
            f"checks/{min(leaked)[0]}: {getattr(name, 'name', '')} is used by a check that is "
            "released, and must not be: put what both need into a function of its own"
        )
    used = graph.used_imports(places)
    return {
        source.name: _text(source, graph, places, used)
        for source in sources.values()
        if any(place[0] == source.name for place in places)
    }


def _always(sources: Mapping[str, Source], names: set[str]) -> list[Place]:
    """What a file that is released does at its top: its docstring, its settings."""
    return [
        (name, number)
        for name in names
        for number, statement in enumerate(sources[name].statements)
        if isinstance(statement.node, ast.Expr)
        or statement.defines & {"annotations", "pytestmark", "pytest_plugins"}
    ]


def _text(source: Source, graph: _Graph, places: set[Place], used: Mapping[Place, set[str]]) -> str:
    left_out, cut = [], {}
    for number, statement in enumerate(source.statements):
        place = (source.name, number)
        names = {name for name, _ in imported(statement.node)}
        if place not in places or (names and not used.get(place)):
            left_out.append(statement.node)
        elif names and used[place] != names:
            cut[statement.node] = used[place]
    return without(source, left_out, cut)
