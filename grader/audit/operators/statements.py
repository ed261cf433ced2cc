"""Comparisons, counts, variables, and steps that do nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.audit.operators.scope import Scope, called, elements, is_zero, number

BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
REVERSED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
# The order of their arguments does not matter.
SYMMETRIC = {"maximum", "minimum", "max", "min", "add", "multiply", "logaddexp", "isclose", "zip"}
# `transpose` swaps these.
PRODUCTS = {"dot", "matmul", "outer"}


def comparison(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A comparison takes in its boundary or leaves it out, or goes the other way."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (BOUNDARIES, REVERSED):
            if kind := table.get(type(node.ops[0])):
                yield ast.Compare(node.left, [kind()], node.comparators)


def off_by_one(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A loop, a slice, an index or a power is one off."""
    match node:
        case ast.Call(ast.Name("range"), [*first, last]):
            yield ast.Call(node.func, [*first, _plus(last, -1)], [])
            yield ast.Call(node.func, [*first, _plus(last, 1)], [])
        case ast.Slice(lower, upper, step) if upper is not None:
            yield ast.Slice(lower, _plus(upper, -1), step)
        case ast.Slice(lower, None, step) if lower is not None:
            yield ast.Slice(_plus(lower, 1), None, step)
        case ast.Subscript(value, index, ctx) if isinstance(ctx, ast.Load):
            place = number(index)
            if place is not None and place.is_integer():
                yield ast.Subscript(value, _plus(index, 1 if place >= 0 else -1), ctx)
        case ast.BinOp(left, ast.Pow(), right) if number(right) is None:
            yield ast.BinOp(left, ast.Pow(), _plus(right, 1))


def stale(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A variable is used in place of the one that was computed from it."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    if isinstance(scope.parent, ast.Call) and scope.parent.func is node:
        return
    sources = _sources(node, scope)
    if len(sources) == 1:
        yield ast.Name(sources.pop(), ast.Load())


def swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The two arguments of a call are the wrong way round."""
    match node:
        case ast.Call(_, [first, second], []) if called(node) not in SYMMETRIC | PRODUCTS:
            kinds = (ast.Name, ast.Attribute, ast.Subscript)
            if isinstance(first, kinds) and isinstance(second, kinds):
                yield ast.Call(node.func, [second, first], [])


def no_op(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A step does nothing."""
    match node:
        case ast.AugAssign() | ast.Expr(ast.Call()):
            yield ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Assign([ast.Name(name)]) if _has_value_before(name, node, scope):
            yield ast.Pass()


def zero_stub(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A result is zero, whatever was given."""
    if scope.is_result(node) and isinstance(node, ast.expr) and _is_worth_a_stub(node):
        yield ast.BinOp(ast.Constant(0), ast.Mult(), node)


def constant_stub(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A result is one everywhere, or is the argument that was given."""
    if not (scope.is_result(node) and isinstance(node, ast.expr)):
        return
    if scope.numpy:
        ones = ast.Attribute(ast.Name(scope.numpy, ast.Load()), "ones_like", ast.Load())
        yield ast.Call(ones, [node], [ast.keyword("dtype", ast.Name("float", ast.Load()))])
    if isinstance(scope.parent, ast.Return) and scope.parameters:
        yield ast.Name(scope.parameters[0], ast.Load())


def _is_worth_a_stub(node: ast.expr) -> bool:
    return not (is_zero(node) or isinstance(node, ast.Constant))


def _plus(node: ast.expr, step: int) -> ast.expr:
    value = number(node)
    if value is not None:
        return ast.Constant(int(value) + step)
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _sources(node: ast.Name, scope: Scope) -> set[str]:
    """The variables of the same function from which this one was computed last."""
    local = {*scope.parameters, *_assigned(scope.body)}
    values = [
        part.value
        for part in scope.body
        if isinstance(part, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == node.id for t in part.targets)
        and (part.end_lineno or 0) < node.lineno
    ]
    if not values:
        return set()
    used = {part.id for part in ast.walk(values[-1]) if isinstance(part, ast.Name)}
    return {name for name in used & local if name != node.id}


def _assigned(nodes: list[ast.AST]) -> set[str]:
    targets = [t for node in nodes if isinstance(node, ast.Assign) for t in node.targets]
    return {part.id for t in targets for part in elements(t) if isinstance(part, ast.Name)}


def _has_value_before(name: str, node: ast.Assign, scope: Scope) -> bool:
    """Whether leaving the assignment out leaves an older value, not an undefined name."""
    earlier = [part for part in scope.body if getattr(part, "lineno", node.lineno) < node.lineno]
    return name in scope.parameters or name in _assigned(earlier)
