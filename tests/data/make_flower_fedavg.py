"""Golden values: federated averaging of logistic regression by Flower's own FedAvg.

Run in an environment of its own: pip install flwr==1.42.0 scikit-learn, then python make_flower_fedavg.py
"""

from __future__ import annotations


def main() -> None:
    """Train in Flower, and write the golden values."""
    import json
    from importlib.metadata import version

    import numpy as np
    from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
    from flwr.serverapp.strategy import FedAvg
    from flwr.supercore.task_identity import TaskIdentity
    from sklearn.datasets import load_breast_cancer

    SIZES, RATE, STEPS, ROUNDS = [100, 120, 149, 200], 0.1, 10, 30

    x, y = load_breast_cancer(return_X_y=True)
    order = np.argsort(x[:, 0], kind="stable")  # the column has ties, whose default order depends on the CPU
    assert len(x) == sum(SIZES)
    z = (x - x.mean(axis=0)) / x.std(axis=0)  # ddof 0
    y = y.astype(np.float64)
    ends = np.cumsum(SIZES)
    sites = [order[end - size : end] for size, end in zip(SIZES, ends, strict=True)]
    default = np.argsort(x[:, 0])
    same_sites = all(
        set(site) == set(default[end - size : end]) for site, size, end in zip(sites, SIZES, ends, strict=True)
    )

    def train(weights, intercept, x, y):
        """Full-batch gradient steps on the mean logistic loss."""
        for _ in range(STEPS):
            error = 1 / (1 + np.exp(-(x @ weights + intercept))) - y
            weights = weights - RATE * (x.T @ error) / len(y)
            intercept = intercept - RATE * error.mean()
        return weights, intercept

    strategy = FedAvg(weighted_by_key="num-examples")
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1  # messages made outside a run need them

    def flower_average(round_number, parts, sizes):
        """What Flower's FedAvg makes of the sites' replies."""
        replies = []
        for node, ((weights, intercept), size) in enumerate(zip(parts, sizes, strict=True), 1):
            ask = Message(content=RecordDict(), dst_node_id=node, message_type="train")
            arrays = ArrayRecord([np.asarray(weights, np.float64), np.asarray([intercept], np.float64)])
            content = RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": size})})
            replies.append(Message(content, reply_to=ask))
        arrays, _ = strategy.aggregate_train(round_number, replies)
        weights, intercept = arrays.to_numpy_ndarrays()
        assert weights.dtype == np.float64
        assert intercept.dtype == np.float64
        return weights, float(intercept[0])

    weights, intercept = np.zeros(x.shape[1]), 0.0
    plain_weights, plain_intercept = weights, intercept  # the same by NumPy alone
    rounds = []
    for number in range(1, ROUNDS + 1):
        parts = [train(weights, intercept, z[site], y[site]) for site in sites]
        weights, intercept = flower_average(number, parts, SIZES)
        rounds.append((weights, intercept))
        parts = [train(plain_weights, plain_intercept, z[site], y[site]) for site in sites]
        plain_weights = sum(w * s for (w, _), s in zip(parts, SIZES, strict=True)) / sum(SIZES)
        plain_intercept = sum(b * s for (_, b), s in zip(parts, SIZES, strict=True)) / sum(SIZES)

    difference = max(np.abs(weights - plain_weights).max(), abs(intercept - plain_intercept))
    golden = {
        "flwr": version("flwr"),
        "numpy": np.__version__,
        "data": "sklearn.datasets.load_breast_cancer, y as stored (1 = benign)",
        "standardized": "mean and population standard deviation (ddof 0) of all 569 rows",
        "split": "np.argsort(x[:, 0], kind=stable) of the raw column, consecutive parts of these sizes",
        "sizes": SIZES,
        "same_sites_with_default_sort": bool(same_sites),
        "learning_rate": RATE,
        "steps": STEPS,
        "rounds": ROUNDS,
        "dtype": "float64",
        "largest_difference_from_plain_numpy": float(difference),
        "round_1": {"weights": rounds[0][0].tolist(), "intercept": rounds[0][1]},
        "final": {"weights": weights.tolist(), "intercept": intercept},
    }
    with open("flower_fedavg.json", "w") as file:
        json.dump(golden, file, indent=1)
    print({k: v for k, v in golden.items() if k not in ("round_1", "final")})
    print(golden["final"]["intercept"], golden["final"]["weights"][:3])
    accuracy = ((z @ weights + intercept > 0) == y).mean()
    print("accuracy", accuracy)


if __name__ == "__main__":
    main()
