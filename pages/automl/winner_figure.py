"""The figure of the winner: cards from the columns to the prediction, from left to right or from top to bottom."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from core.automl import PictureMember, WinnerPicture
from pages._ui import numbers, theme

__all__ = ["figure", "short"]

_WIDE = 1_000  # units of the picture's width, about a pixel each
_COLUMNS = ((0, 120), (160, 185), (385, 90), (515, 270), (825, 175))  # left end and width of each layer
_FEW_COLUMNS = (_COLUMNS[0], (230, 400), (740, 260))  # where the steps of the features are not known
_NARROW = 350
_LINE, _PADDING, _GAP = 18, 20, 12  # height of a line, of the rest of a card, and between cards
_ARROW = 30  # between layers that stand below each other
_CHARACTER = 6.9
_LINES = 2  # of a card, that one of its texts takes
_MOST = 8  # cards of a layer; more are summed up in the last one


@dataclass(frozen=True)
class _Card:
    """A card: a title, lines below it, and what is said where the pointer is."""

    title: str
    lines: tuple[str, ...]
    hover: str = ""
    hue: int | None = None
    weight: float | None = None


def short(value: Any) -> str:
    """Write the value of a hyperparameter."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def figure(picture: WinnerPicture, metric: str, *, narrow: bool) -> go.Figure:
    """Return the figure in the colors of the theme.

    Parameters
    ----------
    picture : WinnerPicture
        The winner.
    metric : str
        Title of the metric of its members' scores.
    narrow : bool
        Whether the layers stand below each other.
    """
    layers = _layers(picture, metric)
    drawn = go.Figure()
    placed, height = _below(layers) if narrow else _beside(layers)
    _add_arrows(drawn, placed, narrow=narrow)
    for layer in placed:
        _add_cards(drawn, layer)
    drawn.update_layout(
        height=int(height) + 8,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        xaxis={"visible": False, "range": [-2, (_NARROW if narrow else _WIDE) + 2], "fixedrange": True},
        yaxis={"visible": False, "range": [-height - 2, 2], "fixedrange": True},
        showlegend=False,
        dragmode=False,
        barmode="overlay",
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return drawn


def _layers(picture: WinnerPicture, metric: str) -> list[list[_Card]]:
    left_out = f"{picture.left_out:,} left out" if picture.left_out else "none left out"
    layers = [[_Card(f"{picture.columns:,} column{'' if picture.columns == 1 else 's'}", (left_out,))]]
    if picture.steps is not None:
        layers.append(
            [
                _Card(
                    step["title"],
                    (f"{len(step['columns']):,} → {step['features']:,}",),
                    ", ".join(step["columns"][:20]) + (" …" if len(step["columns"]) > 20 else ""),
                )
                for step in picture.steps
            ]
        )
        layers.append([_Card(f"{picture.features:,}", ("features",))])
    layers.append(_members(picture.members, metric))
    layers.append([_Card(picture.joined.split(" of ")[0], _rest(picture), picture.prediction)])
    return layers


def _rest(picture: WinnerPicture) -> tuple[str, ...]:
    _, _, rest = picture.joined.partition(" of ")
    return (f"of {rest}" if rest else "", picture.prediction)


def _members(members: Sequence[PictureMember], metric: str) -> list[_Card]:
    shown = members if len(members) <= _MOST else members[: _MOST - 1]
    cards = [
        _Card(
            member.title,
            (
                " · ".join(
                    ([f"weight {member.weight:.0%}"] if len(members) > 1 else [])
                    + ([] if member.score is None else [f"{metric} {numbers.score(member.score)}"])
                ),
                ", ".join(f"{name} {short(value)}" for name, value in member.parameters.items()),
            ),
            ", ".join(f"{name} {short(value)}" for name, value in member.parameters.items()),
            hue=0,
            weight=member.weight if len(members) > 1 else None,
        )
        for member in shown
    ]
    rest = members[len(shown) :]
    if rest:
        weight = sum(member.weight for member in rest)
        cards.append(
            _Card(f"{len(rest):,} more members", (f"weight {weight:.0%}", "in the table below"), weight=weight)
        )
    return cards


@dataclass(frozen=True)
class _Placed:
    """A card where it lies: its lines, left end, top, width and height."""

    card: _Card
    lines: tuple[str, ...]
    left: float
    top: float
    width: float

    @property
    def height(self) -> float:
        return _PADDING + _LINE * len(self.lines)

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def _placed_card(card: _Card, left: float, top: float, width: float) -> _Placed:
    longest = int(width / _CHARACTER)
    lines: list[str] = []
    for line in (card.title, *card.lines):
        wrapped = textwrap.wrap(line, longest)
        if len(wrapped) > _LINES:
            wrapped = [*wrapped[: _LINES - 1], f"{wrapped[_LINES - 1][: longest - 1]}…"]
        lines += wrapped
    return _Placed(card, tuple(lines), left, top, width)


def _beside(layers: Sequence[Sequence[_Card]]) -> tuple[list[list[_Placed]], float]:
    """Place each layer beside the one before, in the middle of the height."""
    columns = _COLUMNS if len(layers) == len(_COLUMNS) else _FEW_COLUMNS
    stacked = [_stack(cards, left, 0.0, width, _GAP) for cards, (left, width) in zip(layers, columns, strict=True)]
    tallest = max(end for _, end in stacked)
    return [[replace(item, top=item.top + (tallest - end) / 2) for item in placed] for placed, end in stacked], tallest


def _below(layers: Sequence[Sequence[_Card]]) -> tuple[list[list[_Placed]], float]:
    """Place each layer below the one before, with its cards below each other."""
    layout, top = [], 0.0
    for cards in layers:
        placed, end = _stack(cards, 0.0, top, _NARROW, _GAP / 2)
        layout.append(placed)
        top = end + _ARROW
    return layout, top - _ARROW


def _stack(cards: Sequence[_Card], left: float, top: float, width: float, gap: float) -> tuple[list[_Placed], float]:
    """Return the cards below each other, and where the last one ends."""
    placed: list[_Placed] = []
    for card in cards:
        placed.append(_placed_card(card, left, top, width))
        top += placed[-1].height + gap
    return placed, top - gap


def _add_cards(drawn: go.Figure, placed: Sequence[_Placed]) -> None:
    hues = [theme.muted() if item.card.hue is None else theme.categorical()[item.card.hue] for item in placed]
    drawn.add_bar(
        orientation="h",
        base=[item.left for item in placed],
        x=[item.width for item in placed],
        y=[-item.middle for item in placed],
        width=[item.height for item in placed],
        text=[_text(item) for item in placed],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        insidetextfont={"color": theme.text(), "size": 13},
        hovertext=[html.escape(item.card.hover or item.card.title) for item in placed],
        hoverinfo="text",
        marker={"color": theme.surface(), "line": {"color": hues, "width": 1.5}, "cornerradius": 8},
    )


def _text(placed: _Placed) -> str:
    first, *others = [html.escape(line) for line in placed.lines]
    return "<br>".join([f"<b>{first}</b>", *others])


def _add_arrows(drawn: go.Figure, layers: Sequence[Sequence[_Placed]], *, narrow: bool) -> None:
    """Draw a line from each card to each of the next layer, or one arrow between layers below each other."""
    ends: list[tuple[float, float]] = []
    for first, second in pairwise(layers):
        pairs = [(first[-1], second[0])] if narrow else [(one, other) for one in first for other in second]
        for one, other in pairs:
            if narrow:
                begin = (one.left + one.width / 2, one.top + one.height + 4)
                end = (other.left + other.width / 2, other.top - 6)
            else:
                begin, end = (one.left + one.width, one.middle), (other.left - 6, other.middle)
            parts = [step / 12 for step in range(13)]
            eased = parts if narrow else [part * part * (3 - 2 * part) for part in parts]
            width = 1.5 if narrow or one.card.weight is None else 1 + 4 * one.card.weight
            drawn.add_scatter(
                x=[begin[0] + (end[0] - begin[0]) * part for part in parts],
                y=[-(begin[1] + (end[1] - begin[1]) * part) for part in eased],
                mode="lines",
                line={"color": theme.muted(), "width": width},
                hoverinfo="skip",
            )
            ends.append((end[0], -end[1]))
    drawn.add_scatter(
        x=[x for x, _ in ends],
        y=[y for _, y in ends],
        mode="markers",
        marker={"symbol": "triangle-down" if narrow else "triangle-right", "size": 8, "color": theme.muted()},
        hoverinfo="skip",
    )
