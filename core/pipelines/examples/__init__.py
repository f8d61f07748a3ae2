"""Pipeline files to start from."""

from __future__ import annotations

from pathlib import Path

__all__ = ["example_pipelines"]


def example_pipelines() -> dict[str, str]:
    """Return the texts of the example pipelines by name.

    Examples
    --------
    >>> list(example_pipelines())
    ['customer_churn_training']
    """
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("*.yml"))}
