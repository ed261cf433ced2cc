"""Recognises a solution's code in other files."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from grader.assignment import Assignment
from grader.audit.generating import answer_lines
from grader.audit.planting import load_variants
from grader.release import cell_question, cell_role, without_magics

# Operations in an expression below which likeness proves nothing: `len(x)` stands everywhere.
LEAST_OPERATIONS = 2
# Characters of a region of one line below which it may stand anywhere by chance.
LEAST_CHARACTERS = 25


def answer_expressions(assignment: Assignment) -> frozenset[str]:
    """The shapes of what the solution and the variants compute, whatever the names are."""
    sources = [code for variant in load_variants(assignment) for code in variant.answers.values()]
    values = [value for source in sources for value in _values(_parse(source), None)]
    for source in _answer_sources(assignment):
        lines = [line for region in answer_lines(source) for line in region]
        values += _values(_parse(without_magics(source)), frozenset(lines))
    return frozenset(_shape(value) for value in values if _operations(value) >= LEAST_OPERATIONS)


def answer_in(tree: ast.AST, answers: frozenset[str]) -> str:
    """The first expression in `tree` that is an answer's, or `""`."""
    for node in ast.walk(tree):
        is_large = isinstance(node, ast.expr) and _operations(node) >= LEAST_OPERATIONS
        if is_large and _shape(node) in answers:
            return ast.unparse(node)
    return ""


def answer_blocks(assignment: Assignment) -> frozenset[str]:
    """The code of each solution region, without comments and spaces."""
    blocks = set()
    for source in _answer_sources(assignment):
        lines = source.split("\n")
        for region in answer_lines(source):
            text = "\n".join(lines[number - 1] for number in region)
            block = squeezed(text)
            if block.count("\n") > 1 or len(block) >= LEAST_CHARACTERS:
                blocks.add(block)
    return frozenset(blocks)


def squeezed(text: str) -> str:
    """Lines of code without comments, indentation and empty lines; each ends in a newline."""
    kept = [line.split("#")[0].strip() for line in text.split("\n")]
    return "".join(f"{line}\n" for line in kept if line)


def _answer_sources(assignment: Assignment) -> list[str]:
    cells = [c for c in assignment.solution.cells if c.cell_type == "code" and cell_question(c)]
    return [str(cell.source) for cell in cells if cell_role(cell) == "answer"]


def _parse(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _values(tree: ast.AST, lines: frozenset[int] | None) -> Iterator[ast.expr]:
    """What is returned or assigned in these lines; in all where `lines` is None."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Return | ast.Assign | ast.AugAssign) or node.value is None:
            continue
        if lines is None or node.lineno in lines:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def _operations(node: ast.AST) -> int:
    kinds = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call)
    parts: Iterable[ast.AST] = ast.walk(node)
    return sum(
        isinstance(p, kinds) or (isinstance(p, ast.Attribute) and p.attr == "T") for p in parts
    )


def _shape(node: ast.AST) -> str:
    """The expression with `_` for every variable and attribute; functions keep their names."""
    return ast.unparse(_Nameless().visit(ast.parse(ast.unparse(node), mode="eval")))


class _Nameless(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        function = node.func
        if isinstance(function, ast.Attribute):
            function.value = self.visit(function.value)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "T":
            node.value = self.visit(node.value)
            return node
        return ast.Name("_", ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        # model["W1"] is a variable, too.
        is_name = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        return ast.Name("_", ast.Load()) if is_name else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name("_", ast.Load()), node)
