"""Flower's own simulation of the study in ``federated.py``: run by an environment that has ``flwr[simulation]``.

Prints ``{"seconds": ...}`` of 30 rounds with four clients, without the start of the simulation's processes: the clock
runs from the first call of the strategy to the last.
"""

from __future__ import annotations

import json
import time

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from sklearn.datasets import load_breast_cancer

SITES, ROUNDS, STEPS, RATE = 4, 30, 10, 0.1

client = ClientApp()
server = ServerApp()


def _site(number: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = load_breast_cancer(return_X_y=True)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    rows = np.array_split(np.argsort(X[:, 0], kind="stable"), SITES)[number]
    return scaled[rows], y[rows].astype(float)


@client.train()
def train(message: Message, context: Context) -> Message:
    """Make ten full gradient steps."""
    weights, intercept = message.content["arrays"].to_numpy_ndarrays()
    X, y = _site(int(context.node_config["partition-id"]))
    for _ in range(STEPS):
        errors = 1 / (1 + np.exp(-(X @ weights + intercept[0]))) - y
        weights = weights - RATE * X.T @ errors / len(y)
        intercept = intercept - RATE * errors.mean()
    content = {"arrays": ArrayRecord([weights, intercept]), "metrics": MetricRecord({"num-examples": len(y)})}
    return Message(RecordDict(content), reply_to=message)


@server.main()
def main(grid: Grid, context: Context) -> None:
    """Run the rounds, and print their seconds."""
    strategy = FedAvg(fraction_evaluate=0.0, min_available_nodes=SITES)
    began = time.perf_counter()
    strategy.start(grid, ArrayRecord([np.zeros(30), np.zeros(1)]), num_rounds=ROUNDS)
    print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    run_simulation(server, client, num_supernodes=SITES)
