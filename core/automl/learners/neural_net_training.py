"""How a small neural net is trained, with torch: the layers after each part of the schedule."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["MIN_EPOCHS", "train"]

MIN_EPOCHS = 6
"""Epochs of which the whole schedule consists although the time is up."""
_SCALE_RATE, _BIAS_RATE = 6.0, 0.1  # factors of the learning rate of the features' scales and of biases
_BETAS = (0.9, 0.95)
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]

_MIN_STEPS, _MIN_BATCH = 8, 32
_WARM = 0.1  # share of the steps in which the learning rate rises


class _Net(nn.Module):
    """The net while it is trained: weights are multiplied with one over the root of what goes in."""

    def __init__(self, sizes: list[int], smooth: bool, dropout: float, generator: torch.Generator) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(sizes[0]))
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList([torch.randn(*pair, generator=generator) for pair in pairs[:-1]])
        self.biases = nn.ParameterList([torch.randn(size, generator=generator) for _, size in pairs[:-1]])
        self.weights.append(torch.zeros(*pairs[-1]))
        self.biases.append(torch.zeros(pairs[-1][1]))
        self._factors = [1 / math.sqrt(size) for size, _ in pairs]
        self._activation = nn.functional.mish if smooth else nn.functional.selu
        self._dropout = dropout
        self._generator = generator

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        values = values * self.scale
        last = len(self.weights) - 1
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.addmm(bias, values, weights, alpha=self._factors[number])
            if number < last:
                values = self._activation(values)
                if self._dropout:
                    kept = torch.rand(values.shape, generator=self._generator) >= self._dropout
                    values = values * kept / (1 - self._dropout)
        return values

    def layers(self) -> list[Layer]:
        """Return plain layers that answer the same without dropout."""
        made = []
        with torch.no_grad():
            for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                own = weights * self._factors[number]
                if not number:
                    own = own * self.scale[:, None]
                made.append((own.numpy().copy(), bias.numpy().copy()))
        return made


def train(
    inputs: NDArray[np.float32],
    target: NDArray[Any],
    weights: NDArray[np.float64] | None,
    sizes: list[int],
    parts: int,
    *,
    epochs: int,
    stop_after: int,
    learning_rate: float,
    dropout: float,
    weight_decay: float,
    batch_size: int,
    loss: str,
    n_jobs: int,
    random_state: int,
    smooth: bool,
    watch: Callable[[list[Layer]], bool] | None = None,
    until: float = math.inf,
) -> list[Layer]:
    """Train a net.

    Parameters
    ----------
    inputs : array of shape (n, features)
        Rows to learn from, scaled.
    target : array of shape (n,)
        Positions of classes, or numbers.
    weights : array of shape (n,), optional
        Weights of the rows.
    sizes : list of int
        Widths of the net: features, hidden layers, outputs.
    parts : int
        Number of parts of the schedule; the others are parameters of `NeuralNet` and its method `train`.

    Returns
    -------
    list of (weights, biases)
        Layers after the last step.
    """
    torch.set_num_threads(max(1, n_jobs))
    generator = torch.Generator().manual_seed(random_state)
    rows = torch.from_numpy(inputs)
    wanted = torch.from_numpy(target)
    shares = None if weights is None else torch.from_numpy(np.asarray(weights / np.mean(weights), dtype=np.float32))
    net = _Net(sizes, smooth, dropout, generator)
    optimizer = torch.optim.AdamW(
        [
            {"params": [*net.weights], "factor": 1.0, "weight_decay": weight_decay},
            {"params": [net.scale], "factor": _SCALE_RATE, "weight_decay": weight_decay},
            {"params": [*net.biases], "factor": _BIAS_RATE, "weight_decay": 0.0},
        ],
        lr=learning_rate,
        betas=_BETAS,
        fused=True,
    )
    batches = _batches(len(rows), batch_size, generator)
    all_steps = epochs * _steps(len(rows), batch_size)
    least = math.ceil(MIN_EPOCHS / epochs * all_steps / parts)
    steps = math.inf
    for part in range(stop_after):
        planned = round(all_steps * (part + 1) / parts) - round(all_steps * part / parts)
        count = max(1, int(min(planned, max(least, steps))))
        began = time.monotonic()
        for step, batch in enumerate(itertools.islice(batches, count)):
            _set_rate(optimizer, learning_rate, (part + (step + 0.5) / count) / parts)
            _step(net, optimizer, rows[batch], wanted[batch], None if shares is None else shares[batch], loss)
        if watch is not None and watch(net.layers()):
            break
        now = time.monotonic()
        if math.isfinite(until) and part + 1 < parts:
            steps = max(until - now, 0.0) / (parts - part - 1) / max(now - began, 1e-6) * count
    return net.layers()


def _steps(rows: int, batch_size: int) -> int:
    """Return the number of steps in which all rows are seen: several of smaller batches where rows are few."""
    return max(1, rows // batch_size, min(_MIN_STEPS, rows // _MIN_BATCH))


def _batches(rows: int, batch_size: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Return all rows in random order, in parts of nearly equal size, again and again."""
    while True:
        yield from torch.randperm(rows, generator=generator).tensor_split(_steps(rows, batch_size))


def _set_rate(optimizer: torch.optim.Optimizer, largest: float, share: float) -> None:
    rate = min(1.0, share / _WARM) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    for group in optimizer.param_groups:
        group["lr"] = largest * group["factor"] * rate


def _step(
    net: _Net,
    optimizer: torch.optim.Optimizer,
    inputs: torch.Tensor,
    wanted: torch.Tensor,
    shares: torch.Tensor | None,
    loss_name: str,
) -> None:
    output = net(inputs)
    if wanted.is_floating_point():
        of_numbers = nn.functional.l1_loss if loss_name == "absolute" else nn.functional.mse_loss
        losses = of_numbers(output[:, 0], wanted, reduction="none")
    else:
        losses = nn.functional.cross_entropy(output, wanted, reduction="none")
    loss = losses.mean() if shares is None else (losses * shares).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
