"""Axes, transposes, sums and means, types, and arrays that are overwritten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.audit.operators.scope import Scope, called, calls_module, number, renamed

REDUCTIONS = {"sum", "mean", "max", "min", "argmax", "argmin", "std", "var", "prod", "any", "all"}
EXTREMA = {
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "argmin": "argmax",
    "max": "min",
    "min": "max",
}
# Functions of NumPy's that can write their result into an argument.
UFUNCS = {
    *("exp", "log", "tanh", "sqrt", "square", "abs", "negative", "maximum", "minimum"),
    *("add", "subtract", "multiply", "divide", "clip", "power"),
}


def axis(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A reduction goes along the wrong axis, along none, or loses a dimension."""
    if not isinstance(node, ast.Call):
        return
    for place, keyword in enumerate(node.keywords):
        others = [*node.keywords[:place], *node.keywords[place + 1 :]]
        if keyword.arg == "axis" and number(keyword.value) is not None:
            wrong = ast.keyword("axis", _other_axis(keyword.value))
            yield ast.Call(node.func, node.args, [*others, wrong])
            yield ast.Call(node.func, node.args, others)
        if keyword.arg == "keepdims":
            yield ast.Call(node.func, node.args, others)
    position = 1 if calls_module(node, scope.numpy) else 0
    if called(node) in REDUCTIONS and len(node.args) == position + 1 and scope.numpy:
        given = node.args[position]
        if number(given) is not None:
            yield ast.Call(node.func, [*node.args[:position], _other_axis(given)], node.keywords)


def transpose(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A transpose is forgotten, or a matrix product has its factors the wrong way round."""
    match node:
        case ast.Attribute(value, "T"):
            yield value
        case ast.BinOp(left, ast.MatMult(), right):
            yield ast.BinOp(right, ast.MatMult(), left)
        case ast.Call(ast.Attribute(attr="dot" | "matmul" | "outer"), [left, right]):
            yield ast.Call(node.func, [right, left], node.keywords)
        case ast.Call(ast.Attribute(value, "transpose"), []):
            yield value
        case ast.Call(ast.Attribute(attr="transpose"), [argument]):
            yield argument


def mean_sum(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A mean is a sum, or a sum a mean."""
    other = {"mean": "sum", "sum": "mean"}.get(called(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and other:
        yield renamed(node, other)


def extremum(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A maximum is a minimum."""
    if isinstance(node, ast.Call) and called(node) in EXTREMA:
        yield renamed(node, EXTREMA[called(node)])


def dtype(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A result is cut off to integers, or a conversion is forgotten."""
    match node:
        case ast.Call(ast.Attribute(value, "astype"), [_]):
            yield value
            return
        case ast.Call(keywords=keywords):
            given = [k for k in keywords if k.arg == "dtype" and ast.unparse(k.value) != "int"]
            for keyword in given:
                others = [k for k in keywords if k is not keyword]
                integer = ast.keyword("dtype", ast.Name("int", ast.Load()))
                yield ast.Call(node.func, node.args, [*others, integer])
    if scope.is_result(node) and scope.numpy and isinstance(node, ast.expr):
        array = ast.Call(_numpy(scope, "asarray"), [node], [])
        name = ast.Name("int", ast.Load())
        yield ast.Call(ast.Attribute(array, "astype", ast.Load()), [name], [])


def in_place(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """An argument is overwritten."""
    match node:
        case ast.Assign([ast.Name(name)], ast.BinOp(ast.Name(left), op, right)) if (
            name == left and name in scope.parameters
        ):
            yield ast.AugAssign(ast.Name(name, ast.Store()), op, right)
        case ast.Call(args=arguments, keywords=[]) if called(node) in UFUNCS and calls_module(
            node, scope.numpy
        ):
            for argument in arguments:
                if isinstance(argument, ast.Name) and argument.id in scope.parameters:
                    yield ast.Call(node.func, arguments, [ast.keyword("out", argument)])


def _other_axis(given: ast.expr) -> ast.expr:
    return ast.Constant(0 if number(given) else 1)


def _numpy(scope: Scope, name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(scope.numpy, ast.Load()), name, ast.Load())
