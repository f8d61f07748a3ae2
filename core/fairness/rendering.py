"""The templates of reports, with everything escaped that goes into HTML."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from core.plain_text import markdown_text

__all__ = ["environment"]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the package's templates."""
    templates = Environment(
        loader=PackageLoader("core.fairness"),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["markdown"] = markdown_text
    return templates
