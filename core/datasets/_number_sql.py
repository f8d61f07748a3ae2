"""The value of a number as people write it, as SQL.

A number is taken apart from its front: patterns without groups take a tenth of the time of one with them. No part can
end in more than one way, since what may follow it begins with other characters. ``list_transform`` evaluates a value
once that a macro would repeat; a subquery would join the whole table with its distinct cells.
"""

from __future__ import annotations

from core.datasets._number_format import CURRENCY, DIGITS, LETTERS, NUMBER, SCALES, TYPOGRAPHY, UNIT, NumberStyle
from core.query import literal

__all__ = ["MACROS", "number_value"]

_NUMBER = literal(NUMBER)
_HEAD = literal(rf"^\(?\s*[-+]?\s*(?:{CURRENCY})?\s*[-+(]?\s*")
_DIGITS = literal(f"^(?:{DIGITS})")
_SCALED = rf"^\s?(?:{LETTERS})\b\.?"
_SCALED_TAIL = literal(rf"{_SCALED}\s*(?:{UNIT})?\s*[-+]?\)?$")
_LETTERS = literal(rf"^\s?({LETTERS})\b")
_SIGNS = literal(r"[-+()\s]")
_FACTORS = " ".join(f"WHEN {literal(name)} THEN {factor!r}::DOUBLE" for name, factor in SCALES.items())
_MACROS = {
    # The cell with the signs and blanks of a keyboard.
    "typed(v)": f"""CASE WHEN strlen(v) = length(v) THEN trim(v, ' \t')
        ELSE trim(translate(v, {", ".join(map(literal, TYPOGRAPHY))}), ' \t') END""",
    # The number in parts: what stands before its digits, the digits with their marks, what stands behind them.
    "number_split(head, rest, digits)": """{'head': head, 'digits': digits,
        'tail': substr(rest, length(digits) + 1)}""",
    "number_cut(t, rest)": f"""number_split(left(t, length(t) - length(rest)), rest,
        regexp_extract(rest, {_DIGITS}))""",
    "number_parts(v)": f"""list_transform([typed(v)], lambda t: CASE WHEN regexp_full_match(t, {_NUMBER})
        THEN list_transform([regexp_replace(t, {_HEAD}, '')], lambda rest: number_cut(t, rest))[1] END)[1]""",
    # The letter in the tail that stands for thousands or more, and what is left of the tail without it.
    "number_scale(tail)": f"""CASE WHEN regexp_matches(tail, {_SCALED_TAIL})
        THEN regexp_extract(tail, {_LETTERS}, 1) ELSE '' END""",
    "number_unit(tail)": f"""CASE WHEN number_scale(tail) <> ''
        THEN regexp_replace(tail, {literal(_SCALED)}, '') ELSE tail END""",
    # The currency or unit, without signs and blanks.
    "number_sign(p)": f"""CASE WHEN p.head = '' AND p.tail = '' THEN ''
        ELSE regexp_replace(p.head || number_unit(p.tail), {_SIGNS}, '', 'g') END""",
    # What the digits are multiplied by. A number in parentheses is negative; it has no other sign.
    "number_signs(x)": "strlen(x) - strlen(replace(replace(replace(x, '-', ''), '+', ''), '(', ''))",
    "number_thousands(scale)": f"list_transform([scale], lambda s: CASE s {_FACTORS} ELSE 1 END)[1]",
    "number_times(head, tail)": """CASE WHEN contains(head, '(') = (tail LIKE '%)') AND number_signs(head || tail) <= 1
        THEN CASE WHEN contains(head || tail, '-') OR contains(head, '(') THEN -1 ELSE 1 END
        * CASE WHEN tail = '' THEN 1 ELSE number_thousands(number_scale(tail)) END END""",
    "number_factor(p)": """CASE WHEN p.head = '' AND p.tail = '' THEN 1::DOUBLE
        ELSE number_times(p.head, p.tail) END""",
    # Digits after a leading zero are a code, and a float would round more than 16.
    "number_code(digits)": """CASE WHEN regexp_matches(digits, '^(0[0-9]|[0-9]{16})') THEN true
        WHEN strlen(digits) > 16 THEN length(regexp_replace(digits, '[^0-9]', '', 'g')) > 16 ELSE false END""",
}
MACROS = tuple(f"CREATE OR REPLACE TEMP MACRO {name} AS {sql}" for name, sql in _MACROS.items())
"""Statements that a connection executes before it uses ``number_parts``, ``number_sign`` and `number_value`."""


def number_value(parts: str, style: NumberStyle) -> str:
    """Return SQL of a number, or NULL where it is not written in this style.

    Parameters
    ----------
    parts : str
        SQL of the parts of a cell, ``number_parts(cell)``.
    style : NumberStyle
        Way in which its digits are written.
    """
    digits = "rtrim(p.digits, ' ')"
    plain = digits
    for mark, new in ((style.thousands, ""), (style.decimal, ".")):
        plain = f"replace({plain}, {literal(mark)}, {literal(new)})" if mark != new else plain
    fits = f"regexp_full_match({digits}, {literal(style.pattern)})"
    value = f"CASE WHEN {fits} AND NOT number_code(p.digits) THEN try_cast({plain} AS DOUBLE) * number_factor(p) END"
    return f"list_transform([{parts}], lambda p: {value})[1]"
