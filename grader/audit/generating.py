"""Generic mutants: the solution's answers with one mistake of neural-net code in each."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from grader.assignment import Assignment, Question
from grader.audit.operators import OPERATORS, Scope
from grader.errors import AssignmentError
from grader.records import QuestionKind
from grader.release import BEGIN, END, cell_question, cell_role, without_magics

# What is printed or drawn is no answer that a check could judge.
SILENT = ("print", "plot", "show", "display", "fig", "ax", "axes", "plt", "sns", "warnings")
CONTEXT_LINES = 2
UNTOUCHED = (ast.Assert, ast.Raise, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


@dataclass(frozen=True)
class GenericMutant:
    """The solution with one cell changed, or the file at `path` where there is one.

    `name` stays the same as long as the function around the change does:
    `question/function/operator/number`. `source` is all of it, `crash` the
    same with an exception in the changed statement's place, which tells
    whether anything reaches it.
    """

    name: str
    question: str
    operator: str
    mistake: str
    function: str
    cell: int
    path: str
    source: str
    crash: str
    diff: str


@dataclass(frozen=True)
class _Edit:
    """A node of a cell's tree, what takes its place, and the statement it is in."""

    node: ast.expr | ast.stmt
    new: ast.AST
    statement: ast.stmt
    function: str
    operator: str


def generic_mutants(assignment: Assignment) -> tuple[GenericMutant, ...]:
    """Every generic mutant of the code questions that carry points, in the notebook's order.

    Raises:
        AssignmentError: an answer of the solution is not Python.
    """
    graded = {q.id: q for q in assignment.questions if q.kind is QuestionKind.CODE and q.points}
    found: list[GenericMutant] = []
    run_so_far: list[str] = []
    for index, cell in enumerate(assignment.solution.cells):
        run_so_far += [str(cell.source)] if cell.cell_type == "code" else []
        question = graded.get(cell_question(cell))
        if question and _is_answer(cell):
            # A mutant with a name that is imported later would fail for want of it.
            numpy = _numpy_name(run_so_far)
            where = f"{assignment.folder / 'solution.ipynb'}: cell {index}"
            found += _of_cell(str(cell.source), index, question, numpy, where)
    for question in graded.values():
        if question.file.endswith(".py"):
            found += _of_file(assignment, question)
    return tuple(_numbered(found))


def _of_file(assignment: Assignment, question: Question) -> list[GenericMutant]:
    """The mutants of what a question names in the file that answers it."""
    source = assignment.solution_files[question.file]
    others = [name for place in assignment.places_beside(question) for name in place.names]
    where = f"{assignment.folder / 'solution' / question.file}"
    numpy = _numpy_name([source])
    found = _of_cell(source, -1, question, numpy, where)
    return [m for m in found if _belongs(m.function, question.names, others)]


def _belongs(function: str, names: Collection[str], others: Collection[str]) -> bool:
    """Whether a function is the question's: by its name, or because it is no other's."""

    def is_one_of(named: Collection[str]) -> bool:
        return any(function == name or function.startswith(f"{name}.") for name in named)

    return is_one_of(names) or (not names and not is_one_of(others))


def _is_answer(cell: NotebookNode) -> bool:
    """Whether a cell is code of an answer, an experiment's too: checks that give points run it."""
    return cell.cell_type == "code" and cell_role(cell) == "answer"


def answer_lines(source: str) -> list[range]:
    """The lines, from 1, of each solution region; all of them where there is none."""
    lines = source.split("\n")
    begins = [place for place, line in enumerate(lines, 1) if line.strip().startswith(BEGIN)]
    ends = [place for place, line in enumerate(lines, 1) if line.strip().startswith(END)]
    if not begins:
        return [range(1, len(lines) + 1)]
    return [range(first + 1, last) for first, last in zip(begins, ends, strict=False)]


def difference(before: str, after: str, name: str) -> str:
    """The lines that differ, as a unified diff without its file names."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, name, n=CONTEXT_LINES, lineterm=""
    )
    return "\n".join(list(lines)[2:])


def _numpy_name(sources: Collection[str]) -> str:
    """The name under which these texts import NumPy, or `""`."""
    for source in sources:
        for line in source.splitlines():
            words = line.split()
            if words[:2] == ["import", "numpy"]:
                return words[3] if words[2:3] == ["as"] else "numpy"
    return ""


def _of_cell(
    source: str, index: int, question: Question, numpy: str, where: str
) -> list[GenericMutant]:
    code = without_magics(source)
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise AssignmentError(f"{where}: this answer is not Python: {error}") from error
    seen = {ast.dump(tree)}
    mutants = []
    for edit in _edits(tree, answer_lines(source), numpy, frozenset(question.names)):
        changed, shape = _apply(tree, code, edit)
        if changed is None or shape in seen:
            continue
        seen.add(shape)
        # The magics are put back: only the edited lines differ.
        mutants.append(
            GenericMutant(
                name=f"{question.id}/{edit.function}{edit.operator}",
                question=question.id,
                operator=edit.operator,
                mistake=(OPERATORS[edit.operator].__doc__ or "").strip(),
                function=edit.function.removesuffix("/"),
                cell=index,
                path=question.file,
                source=_with_magics(source, code, changed),
                crash=_with_magics(source, code, _crash(code, edit.statement)),
                diff=difference(
                    source, _with_magics(source, code, changed), question.file or f"cell {index}"
                ),
            )
        )
    return mutants


def _numbered(mutants: list[GenericMutant]) -> Iterator[GenericMutant]:
    counts: Counter[str] = Counter()
    for mutant in mutants:
        counts[mutant.name] += 1
        name = f"{mutant.name}/{counts[mutant.name]}"
        yield GenericMutant(**{**vars(mutant), "name": name})


def _edits(
    tree: ast.Module, regions: list[range], numpy: str, results: frozenset[str]
) -> Iterator[_Edit]:
    for node, parents in _walk(tree, ()):
        if not _is_inside(node, regions):
            continue
        scope = Scope(tree, parents, numpy, results)
        statement = next(n for n in (node, *parents) if isinstance(n, ast.stmt))
        for name, operator in OPERATORS.items():
            for new in operator(node, scope):
                yield _Edit(node, new, statement, _function_name(scope), name)


def _walk(
    node: ast.AST, parents: tuple[ast.AST, ...]
) -> Iterator[tuple[ast.expr | ast.stmt, tuple[ast.AST, ...]]]:
    """Every expression and statement that an operator may change, with its ancestors."""
    if isinstance(node, UNTOUCHED) or _is_silent(node) or _is_docstring(node):
        return
    if isinstance(node, ast.expr | ast.stmt):
        yield node, parents
    for name, value in ast.iter_fields(node):
        if name in ("decorator_list", "annotation", "returns", "targets", "target"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, (node, *parents))


def _is_silent(node: ast.AST) -> bool:
    """Whether a call only prints or draws."""
    call = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(call, ast.Call):
        return False
    function: ast.expr = call.func
    while isinstance(function, ast.Attribute | ast.Subscript):
        function = function.value
    return isinstance(function, ast.Name) and function.id.split("_")[0] in SILENT


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_inside(node: ast.expr | ast.stmt, regions: list[range]) -> bool:
    return any(node.lineno in lines and node.end_lineno in lines for lines in regions)


def _function_name(scope: Scope) -> str:
    """`Linear.forward/`, or nothing at the top of a cell."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = [parent.name for parent in scope.parents if isinstance(parent, kinds)]
    return ".".join(reversed(names)) + "/" if names else ""


# --- text -----------------------------------------------------------------------


def _apply(tree: ast.Module, code: str, edit: _Edit) -> tuple[str | None, str]:
    """The code with the edit in it, and the shape of its tree; None where it cannot be written."""
    shape = _shape_with(tree, edit)
    text = ast.unparse(ast.fix_missing_locations(edit.new))
    for written in (text, f"({text})"):
        changed = _replace(code, edit.node, written)
        try:
            if ast.dump(ast.parse(changed)) == shape:
                return changed, shape
        except SyntaxError:
            continue
    return None, shape


def _shape_with(tree: ast.Module, edit: _Edit) -> str:
    """What the tree would be with the edit in it."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is edit.node:
                setattr(parent, name, edit.new)
                shape = ast.dump(tree)
                setattr(parent, name, value)
                return shape
            if isinstance(value, list) and any(item is edit.node for item in value):
                place = next(i for i, item in enumerate(value) if item is edit.node)
                value[place] = edit.new
                shape = ast.dump(tree)
                value[place] = edit.node
                return shape
    raise AssertionError("the edited node is not in the tree")


def _replace(code: str, node: ast.expr | ast.stmt, text: str) -> str:
    """The code with other text in a node's place; columns are counted in UTF-8 bytes."""
    lines = [line.encode() for line in code.split("\n")]
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    lines[first : last + 1] = [head + text.encode() + tail]
    return b"\n".join(lines).decode()


def _crash(code: str, statement: ast.stmt) -> str:
    """The code with an exception where the statement begins."""
    lines = code.split("\n")
    line = lines[statement.lineno - 1]
    indent = line[: len(line) - len(line.lstrip())]
    lines.insert(statement.lineno - 1, f"{indent}raise SystemError('reached')")
    return "\n".join(lines)


def _with_magics(source: str, code: str, changed: str) -> str:
    """The changed code with the magics of the cell where they stood."""
    if source == code:
        return changed
    before, blank, after = source.split("\n"), code.split("\n"), changed.split("\n")
    head = next((i for i, (a, b) in enumerate(zip(blank, after, strict=False)) if a != b), 0)
    kept = len(blank) - head
    tail = next(i for i in range(kept + 1) if blank[head + i :] == after[len(after) - kept + i :])
    middle = after[head : len(after) - kept + tail]
    return "\n".join([*before[:head], *middle, *before[head + tail :]])
