"""The templates of reports, with everything escaped that goes into HTML."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

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
    templates.filters["cell"] = _markdown_cell
    return templates


def _markdown_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
