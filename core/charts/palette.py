"""Colors of charts, and a chart with its description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import altair as alt

    Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

__all__ = ["PRINT", "DrawnChart", "Figure", "Palette"]


@dataclass(frozen=True)
class Palette:
    """Colors of charts.

    Parameters
    ----------
    categorical : tuple of str
        Hues for groups, learners and variants, in their fixed order: the first is for what is in focus, the last for
        what is there for comparison only.
    sequential : tuple of str
        Ten steps from low to high.
    strong_from : float
        Part of `sequential` from which text is better read in the color for its strong half.
    """

    categorical: tuple[str, ...]
    sequential: tuple[str, ...]
    strong_from: float

    @property
    def accent(self) -> str:
        """The color of what is in focus."""
        return self.categorical[0]

    @property
    def muted(self) -> str:
        """The color of what is there for comparison only."""
        return self.categorical[-1]

    @property
    def on_sequential(self) -> tuple[str, str]:
        """The colors of text on the pale and on the strong half of `sequential`."""
        return self.sequential[-1], self.sequential[0]


PRINT = Palette(
    categorical=("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#B8A800", "#7A7A7A"),
    sequential=(
        "#F0F6FB",
        "#DCEAF5",
        "#C3DCEE",
        "#A3CAE4",
        "#7DB3D7",
        "#5599C7",
        "#337FB3",
        "#1B669B",
        "#0E4E7C",
        "#08385B",
    ),
    strong_from=0.61,
)
"""The colors of the light theme (`.streamlit/config.toml`), for files that are printed."""


@dataclass(frozen=True)
class DrawnChart:
    """A chart with what it shows in words.

    Parameters
    ----------
    chart : altair.Chart or altair.LayerChart
        The chart; its width is that of where it is drawn.
    description : str
        Text for who does not see it: the title, and the values where they are few.
    """

    chart: Chart
    description: str


@dataclass(frozen=True)
class Figure:
    """A chart that can be drawn in any colors: in those of a page's theme, or in those of paper.

    Parameters
    ----------
    key : str
        Name for programs.
    build : callable
        Function from a `Palette` to the chart.
    """

    key: str
    build: Callable[[Palette], DrawnChart]
