"""Model cards as HTML and Markdown, from the templates in ``templates``; nothing in a value becomes markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.models._card_text import format_value
from core.plain_text import markdown_text

__all__ = ["render_card"]

_FOLDER = Path(__file__).parent / "templates"


def render_card(template: str, values: Mapping[str, object]) -> str:
    """Fill in a template of the card.

    Parameters
    ----------
    template : str
        Name of a file in ``templates``: card.html.jinja or card.md.jinja.
    values : mapping of str to object
        Values by the names in the template. All are escaped, unless they are `Markup`.

    Examples
    --------
    >>> _escape_markdown("a_b | <c>")
    Markup('a\\\\_b \\\\| \\\\<c\\\\>')
    """
    return _environment(template.endswith(".md.jinja")).get_template(template).render(values)


@cache
def _environment(markdown: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,  # what _escape_markdown returns is safe already
        finalize=_escape_markdown if markdown else _as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _as_text(value: object) -> object:
    return value if hasattr(value, "__html__") else format_value(value)


def _escape_markdown(value: object) -> object:
    """Return a value on one line, with all marks of Markdown escaped."""
    if hasattr(value, "__html__"):
        return value
    return Markup(markdown_text(format_value(value)))
