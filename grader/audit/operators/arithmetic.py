"""Signs, factors, powers and terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.audit.operators.scope import Scope, is_text, is_zero, names_in, number

BIAS = re.compile(r"b|bs|bias(es)?|b\d+|b_\w+|bias_\w+|\w+_bias", re.IGNORECASE)
DECAY = re.compile(
    r"\w*(decay|lambda|regulari[sz]|penalty|momentum)\w*|wd|reg|wd_\w+|reg_\w+|lam|l2"
)


def sign(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A sign is wrong: of a term, of a difference, or of a result."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner) if number(inner) is None:
            yield inner
        case ast.BinOp(left, ast.Add(), right) if not (is_text(left) or is_text(right)):
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(left, ast.Add(), right)
            yield ast.BinOp(right, ast.Sub(), left)
        case ast.AugAssign(target, ast.Add() | ast.Sub() as op, value) if not is_text(value):
            flipped = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield ast.AugAssign(target, flipped, value)
    if isinstance(node, ast.expr) and scope.is_result(node) and _can_be_negated(node):
        yield ast.UnaryOp(ast.USub(), node)


def factor(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A result is twice as large, or a division is a multiplication."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield ast.BinOp(node.left, ast.Mult(), node.right)
    if isinstance(node, ast.expr) and scope.is_result(node) and not is_zero(node):
        yield ast.BinOp(ast.Constant(2), ast.Mult(), node)


def drop_factor(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A factor or a divisor is forgotten."""
    yield from (kept for kept, lost in _factors(node) if not _is_decay(lost))


def power(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A square or a square root is forgotten."""
    match node:
        case ast.BinOp(left, ast.Pow(), right) if number(right) is not None:
            yield left
        case ast.Call(ast.Attribute(attr="square" | "sqrt"), [argument]):
            yield argument


def drop_term(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A term of a sum is forgotten."""
    yield from (kept for kept, lost in _terms(node) if not _is_bias(lost) and not _is_decay(lost))


def drop_bias(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The bias is forgotten."""
    yield from (kept for kept, lost in _terms(node) if _is_bias(lost))


def drop_decay(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Weight decay, a decaying step size or momentum is forgotten."""
    pairs = [*_terms(node), *_factors(node)]
    yield from (kept for kept, lost in pairs if _is_decay(lost) and not _is_bias(lost))


def _factors(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """What is kept and what is lost where one factor of a product or a quotient is forgotten."""
    match node:
        case ast.BinOp(left, ast.Mult(), right) if not (is_text(left) or is_text(right)):
            return [(left, right), (right, left)]
        case ast.BinOp(left, ast.Div(), right):
            return [(left, right)]
    return []


def _terms(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """The same for the terms of a sum."""
    match node:
        case ast.BinOp(left, ast.Add(), right) if not (is_text(left) or is_text(right)):
            return [(left, right), (right, left)]
        case ast.BinOp(left, ast.Sub(), right):
            return [(left, right), (ast.UnaryOp(ast.USub(), right), left)]
    return []


def _is_bias(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and any(
        BIAS.fullmatch(name) for name in names_in(node)
    )


def _is_decay(node: ast.AST) -> bool:
    return any(DECAY.fullmatch(name.lower()) for name in names_in(node))


def _can_be_negated(node: ast.expr) -> bool:
    is_signed = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    is_difference = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    return not (is_signed or is_difference or is_zero(node))
