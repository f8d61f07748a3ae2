from .classes import calibration_chart, confusion_chart, curve_chart
from .estimates import MAX_GROUPS, bar_chart, group_intervals_chart, intervals_chart
from .fonts import FONT_FAMILIES, FontCoverage, font_folders
from .headings import fitted, legend_columns
from .palette import PRINT, DrawnChart, Figure, Palette
from .regression import residuals_chart
from .static import StaticChart, inline_svg, render_job, svg_of
from .two_distributions import two_distributions_chart

__all__ = [
    "FONT_FAMILIES",
    "MAX_GROUPS",
    "PRINT",
    "DrawnChart",
    "Figure",
    "FontCoverage",
    "Palette",
    "StaticChart",
    "bar_chart",
    "calibration_chart",
    "confusion_chart",
    "curve_chart",
    "fitted",
    "font_folders",
    "group_intervals_chart",
    "inline_svg",
    "intervals_chart",
    "legend_columns",
    "render_job",
    "residuals_chart",
    "svg_of",
    "two_distributions_chart",
]
