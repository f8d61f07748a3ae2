"""The syntax of expressions: that of Python, with names of columns in backticks."""

from __future__ import annotations

import ast

from core.errors import InputError

__all__ = ["parse"]

MAX_CHARS = 4_000
MAX_DEPTH = 60
MAX_NODES = 1_000


def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """Parse an expression.

    Parameters
    ----------
    text : str
        Expression.

    Returns
    -------
    node : ast.expr
        Syntax tree; none of its nodes has been judged yet.
    names : dict of str to str
        Columns in backticks, by the identifier that stands for them in the tree.

    Raises
    ------
    InputError
        When the text is not an expression, too long, or too deeply nested.
    """
    if len(text) > MAX_CHARS:
        raise InputError(
            f"The expression has {len(text):,} characters; {MAX_CHARS:,} are possible.", "Derive it in several steps."
        )
    if not text.strip():
        raise InputError("The expression is empty.", 'Write one, such as age >= 18 or country == "DE".')
    plain, names = _without_backticks(text)
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = f" near character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise InputError(
            f"'{text[:80]}' cannot be understood{at}.",
            "Write columns by name, in backticks if the name has blanks, texts in quotes, and == for equality.",
        ) from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES or _depth(tree) > MAX_DEPTH:
        raise InputError("The expression is too long or too deeply nested.", "Derive it in several steps.")
    return tree.body, names


def _depth(tree: ast.AST) -> int:
    deepest, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        pending += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """Replace names in backticks outside of quoted texts by identifiers."""
    parts: list[str] = []
    names: dict[str, str] = {}
    position, quote, deepest, depth = 0, "", 0, 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                parts.append(text[position : position + 2])
                position += 2
                continue
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "`":
            end = text.find("`", position + 1)
            if end < 0:
                raise InputError(f"A backtick is not closed in '{text[:80]}'.", "Write `name` around a column.")
            name = f"column_{len(names)}_{position}_"
            names[name] = text[position + 1 : end]
            parts.append(f" {name} ")
            position = end + 1
            continue
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
        parts.append(" " if character in "\r\n\t" else character)
        position += 1
    if deepest > MAX_DEPTH:
        raise InputError("The expression is too deeply nested.", "Derive it in several steps.")
    return "".join(parts), names
