"""The graph of a pipeline: a card per step with its state, and lines from what is needed to what needs it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import plotly.graph_objects as go
import streamlit as st

from pages._ui import theme
from pages.pipelines import states
from pages.pipelines.layout import Layout, Place, layered
from pages.pipelines.states import ShownStep

__all__ = ["figure", "show"]

_ACROSS = 5  # layers up to which a graph goes from left to right
_CARD = 0.82  # of a layer's or a slot's length
_PIXELS = {"right": 74, "down": 96}  # of a slot, or of a layer
_MORE_ACROSS, _MANY = 8, 7  # layers up to which it does so where more slots than this would stand side by side
_PAGE, _HALF = 1_000, 420  # pixels of the page's width, about
_CHARACTER = 7.5  # pixels
_HUES = {"Succeeded": 2, "Kept": 4, "Running": 0, "Starting": 0, "Failed": 1, "Timed out": 3, "Out of memory": 3}


@dataclass(frozen=True)
class _Axes:
    """How layers and slots become x and y."""

    across: bool

    def point(self, position: Place) -> tuple[float, float]:
        layer, slot = position
        return (layer, -slot) if self.across else (slot, -layer)


def show(steps: Sequence[ShownStep], *, key: str, parameter: str, query: dict[str, str], narrow: bool = False) -> None:
    """Draw the graph; a click on a card opens the step. Narrow screens have the list of steps alone.

    Parameters
    ----------
    steps : sequence of ShownStep
        Steps.
    key : str
        Key of the widget.
    parameter : str
        Parameter of the address that names the open step; empty where cards cannot be opened.
    query : dict
        The other parameters of the address.
    narrow : bool, default=False
        Whether it stands in half of the page, where it always goes from top to bottom.
    """
    # A graph in 350 pixels cannot be read: the list below it says the same.
    st.html(f"<style>@media (max-width: 640px) {{ .st-key-{key}-wide {{ display: none; }} }}</style>")
    drawn = figure(steps, narrow=narrow)
    with st.container(key=f"{key}-wide"):
        if not parameter:
            st.plotly_chart(drawn, key=key, alt=_alt(steps), config={"displayModeBar": False})
            return
        number = st.session_state.setdefault(f"{key}-number", 0)
        st.plotly_chart(
            drawn,
            key=f"{key}-{number}",
            alt=_alt(steps),
            on_select=lambda: _select(key, number, parameter, query),
            selection_mode="points",
            config={"displayModeBar": False},
        )


def _select(key: str, number: int, parameter: str, query: dict[str, str]) -> None:
    points = st.session_state[f"{key}-{number}"].selection.points
    paths = [point["customdata"] for point in points if point.get("customdata")]
    if paths:
        chosen = paths[0]
        st.session_state[f"{key}-number"] += 1
        st.session_state[f"{key}-opened"] = {**query, parameter: chosen if isinstance(chosen, str) else chosen[0]}


def _alt(steps: Sequence[ShownStep]) -> str:
    said = [f"{step.path} ({step.badge.label.lower()})" for step in steps[:12]]
    more = f" and {len(steps) - 12} more" if len(steps) > 12 else ""
    return f"Graph of {len(steps)} steps: {', '.join(said)}{more}"


def figure(steps: Sequence[ShownStep], *, narrow: bool = False) -> go.Figure:
    """Return the graph as a figure in the colors of the theme."""
    layout = layered({step.path: step.plan["needs"] for step in steps})
    low, high = layout.span
    slots = high - low + 1
    wide = slots > _MANY and layout.layers <= _MORE_ACROSS
    axes = _Axes((layout.layers <= _ACROSS and not narrow) or wide)
    card = _CARD * (_HALF if narrow else _PAGE) / max(layout.layers if axes.across else slots, 3)
    drawn = go.Figure()
    _add_lines(drawn, layout, axes)
    _add_cards(drawn, steps, layout, axes, longest=min(max(int(card / _CHARACTER), 8), 28))
    _add_groups(drawn, steps, layout, axes)
    pixels = slots * _PIXELS["right"] if axes.across else layout.layers * _PIXELS["down"]
    along, beside = [-0.5, max(layout.layers, 3) - 0.5], [-high - 0.55, -low + 0.55]
    if axes.across:
        x_range, y_range = along, beside
    else:
        width = max(slots, 2 if narrow else 4)
        middle = (low + high) / 2
        x_range, y_range = [middle - width / 2, middle + width / 2], [-layout.layers + 0.45, 0.55]
    drawn.update_layout(
        height=max(110, min(int(pixels) + 20, 2_400)),
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        xaxis={"visible": False, "range": x_range, "fixedrange": True},
        yaxis={"visible": False, "range": y_range, "fixedrange": True},
        showlegend=False,
        dragmode=False,
        barmode="overlay",
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return drawn


def _hue(step: ShownStep) -> str:
    index = _HUES.get(step.badge.label)
    return theme.muted() if index is None else theme.categorical()[index]


def _add_cards(drawn: go.Figure, steps: Sequence[ShownStep], layout: Layout, axes: _Axes, *, longest: int) -> None:
    points = [axes.point(layout.nodes[step.path]) for step in steps]
    drawn.add_bar(
        orientation="h",
        base=[x - _CARD / 2 for x, _ in points],
        x=[_CARD] * len(points),
        y=[y for _, y in points],
        width=[_CARD if axes.across else 0.58] * len(points),
        customdata=[step.path for step in steps],
        text=[_text(step, longest) for step in steps],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        insidetextfont={"color": theme.text(), "size": 13},
        hovertext=[_hover(step) for step in steps],
        hoverinfo="text",
        marker={
            "color": theme.surface(),
            "line": {"color": [_hue(step) for step in steps], "width": 2},
            "cornerradius": 8,
        },
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _text(step: ShownStep, longest: int) -> str:
    name, half = step.name, (longest - 1) // 2
    if len(name) > longest:  # names of one kind differ at their end
        name = f"{name[:half]}…{name[half + 1 - longest :]}"
    line = f"<b>{html.escape(name)}</b>"
    if step.row is None:
        component = str(step.plan["component"])
        return f"{line}<br>{html.escape(component)}" if component and component != step.name else line
    badge = step.badge
    return f"{line}<br>{states.mark_of(badge)} {badge.label}" + (f" · {step.time}" if step.time else "")


def _hover(step: ShownStep) -> str:
    lines = [step.path, str(step.plan["title"])]
    if step.row is not None:
        lines += [step.badge.label, step.row.reason[:200]]
    return "<br>".join(html.escape(line) for line in dict.fromkeys(lines) if line)


def _add_lines(drawn: go.Figure, layout: Layout, axes: _Axes) -> None:
    """Draw smooth lines that leave a card's end and arrive at the next card's begin, with an arrow."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    ends: list[tuple[float, float]] = []
    half = (_CARD if axes.across else 0.58) / 2
    for line in layout.lines.values():
        (first_layer, first_slot), (last_layer, last_slot) = line[0], line[-1]
        passed = [(first_layer + half, first_slot), *line[1:-1], (last_layer - half - 0.02, last_slot)]
        for one, other in pairwise(passed):
            for step in range(13):
                part = step / 12
                eased = part * part * (3 - 2 * part)
                position = (one[0] + (other[0] - one[0]) * part, one[1] + (other[1] - one[1]) * eased)
                x, y = axes.point(position)
                xs.append(x)
                ys.append(y)
        ends.append(axes.point(passed[-1]))
        xs.append(None)
        ys.append(None)
    line_style = {"color": theme.muted(), "width": 1.5}
    drawn.add_scatter(x=xs, y=ys, mode="lines", line=line_style, hoverinfo="skip")
    drawn.add_scatter(
        x=[x for x, _ in ends],
        y=[y for _, y in ends],
        mode="markers",
        marker={"symbol": "triangle-right" if axes.across else "triangle-down", "size": 8, "color": theme.muted()},
        hoverinfo="skip",
    )


def _add_groups(drawn: go.Figure, steps: Sequence[ShownStep], layout: Layout, axes: _Axes) -> None:
    """Frame the steps of each nested pipeline, where no other step lies within the frame."""
    for group in sorted({step.group for step in steps if step.group}):
        inside = [step for step in steps if step.path.startswith(f"{group}/")]
        points = [axes.point(layout.nodes[step.path]) for step in inside]
        left, right = min(x for x, _ in points) - 0.46, max(x for x, _ in points) + 0.46
        low, high = min(y for _, y in points) - 0.48, max(y for _, y in points) + 0.48
        others = [axes.point(layout.nodes[step.path]) for step in steps if step not in inside]
        if any(left < x < right and low < y < high for x, y in others):
            continue
        drawn.add_shape(
            type="rect",
            x0=left,
            x1=right,
            y0=low,
            y1=high,
            line={"color": theme.muted(), "width": 1, "dash": "dot"},
            layer="below",
        )
        drawn.add_annotation(
            x=left,
            y=high,
            xanchor="left",
            yanchor="bottom",
            yshift=-4,
            text=html.escape(group),
            showarrow=False,
            font={"size": 11, "color": theme.text()},
        )
