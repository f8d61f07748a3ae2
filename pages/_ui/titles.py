"""Titles and legends of charts that fit on a narrow screen, for charts that a page builds itself."""

from __future__ import annotations

from core.charts import fitted, legend_columns

__all__ = ["fitted", "legend_columns"]
