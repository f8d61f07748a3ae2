"""Charts as SVG. Vega runs in a JavaScript engine that takes memory and threads, so never in the web process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from core.bounded import run_bounded
from core.charts.fonts import font_folders
from core.charts.palette import PRINT, Figure
from core.errors import ExportError, LimitError, PlumblineError
from core.jsonable import JsonObject
from core.progress import Report

__all__ = ["StaticChart", "inline_svg", "render_job", "svg_of"]

_MEMORY_MB = 2_000
_CPU_S = 120.0
_INK = "#101820"
_WIDTH = 330
_HEIGHT = 190
_NAMESPACES = re.compile(r'\s+xmlns(:\w+)?="[^"]*"')
_APART = {"labelOverlap": True, "labelSeparation": 8}
_IDS = re.compile(r"""(\bid="|url\(#|href="#)([\w-]+)""")


@dataclass(frozen=True)
class StaticChart:
    """A chart for a file.

    Parameters
    ----------
    description : str
        Text for who does not see it.
    spec : dict
        Vega-Lite specification with its data.
    """

    description: str
    spec: JsonObject

    @classmethod
    def of(cls, figure: Figure, *, width: int = _WIDTH) -> StaticChart:
        """Return a chart that pages draw, with a width and colors for white paper."""
        drawn = figure.build(PRINT)
        spec: JsonObject = drawn.chart.properties(width=width).to_dict()
        if isinstance(spec.get("height"), int | float):  # not that of charts which grow with their rows
            spec["height"] = _HEIGHT
        text = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 11, "titleFontSize": 12}
        config = {
            "background": "white",
            "font": "Noto Sans, system-ui, sans-serif",
            "axis": text | {"gridColor": "#E6EAEE", "domainColor": "#7A858F", "tickColor": "#7A858F"} | _APART,
            "legend": text,
            "title": {"color": _INK, "fontSize": 13, "anchor": "start", "offset": 10},
            "view": {"stroke": "transparent"},
        }
        return cls(drawn.description, spec | {"config": config})


def svg_of(charts: Sequence[StaticChart]) -> list[str]:
    """Return each chart as SVG, drawn in a process of its own.

    Parameters
    ----------
    charts : sequence of StaticChart
        The charts.

    Raises
    ------
    ExportError
        When they cannot be drawn.
    """
    if not charts:
        return []
    job: dict[str, JsonValue] = {"specs": [chart.spec for chart in charts]}
    try:
        drawn = run_bounded(
            "core.charts.static:render_job", job, subject="Drawing the charts", memory_mb=_MEMORY_MB, cpu_s=_CPU_S
        )
    except LimitError as error:
        raise ExportError(
            f"The {len(charts)} charts are too large to be drawn.", "Take the file without charts."
        ) from error
    except PlumblineError as error:
        raise ExportError(
            f"The charts could not be drawn: {error.message}", "Check that vl-convert-python is installed."
        ) from error
    return [str(svg) for svg in drawn["svgs"]]


def render_job(job: Mapping[str, JsonValue], report: Report) -> JsonObject:
    """Draw the specifications of a job; ids in one drawing are not those of another, so that one page can hold all."""
    import altair
    import vl_convert

    specs = job["specs"]
    assert isinstance(specs, list)
    version = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    for folder in font_folders():
        vl_convert.register_font_directory(str(folder))
    svgs = []
    for number, spec in enumerate(specs, start=1):
        assert isinstance(spec, dict)
        svg = vl_convert.vegalite_to_svg(spec, vl_version=version)
        svgs.append(_IDS.sub(rf"\g<1>chart{number}-\g<2>", svg))
    return {"svgs": svgs}


def inline_svg(svg: str) -> str:
    """Return a drawing as it stands within HTML, which knows its namespaces.

    Examples
    --------
    >>> inline_svg('<svg xmlns="http://www.w3.org/2000/svg" width="1"></svg>')
    '<svg width="1"></svg>'
    """
    head, end, rest = svg.partition(">")
    return _NAMESPACES.sub("", head) + end + rest
