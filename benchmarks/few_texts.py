"""Few labels: pairs of texts and adaptation by masked words against the usual training, side by side on this machine.

    python benchmarks/few_texts.py [--per-class 8 16] [--seeds 0 1 2 3 4] [--labeled 200] [--no-adaptation]

MiniLM on product reviews of three sentiments. First with a handful of texts per class, drawn anew for each seed: the
usual training (10 epochs), pairs of texts (`few_shot`), and TF-IDF with logistic regression; the accuracy is that on
600 other reviews. Then with 200 labeled texts and all others without a label: with and without one pass of adaptation.
Gains are paired by seed, with 95% t intervals.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.datasets import load_sample  # noqa: E402
from core.finetune import FineTuneResult, FineTuneSettings, fine_tune  # noqa: E402

TESTED = 600


def interval(gains: list[float]) -> str:
    """Return the mean of paired gains in points, with its 95% t interval."""
    from scipy.stats import t

    values = 100 * np.array(gains)
    half = (
        t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    )
    return f"{values.mean():+.1f} points [{values.mean() - half:+.1f}, {values.mean() + half:+.1f}]"


def trained(frame: pd.DataFrame, seed: int, **values: object) -> tuple[FineTuneResult, float]:
    """Return a training without a test of its own, and its seconds."""
    settings = {"text_column": "text", "label_column": "sentiment", "test_fraction": 0.0, "seed": seed} | values
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = fine_tune(frame, FineTuneSettings(**settings), output_dir=folder)
        result._model()  # before the folder is gone
        return result, time.perf_counter() - began


def accuracy(result: FineTuneResult, rest: pd.DataFrame) -> float:
    return float((result.predict(rest["text"].tolist())["label"].to_numpy() == rest["sentiment"]).mean())


def words(frame: pd.DataFrame, rest: pd.DataFrame, seed: int) -> float:
    """Return the accuracy of TF-IDF with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=2_000, random_state=seed))
    return float(model.fit(frame["text"], frame["sentiment"]).score(rest["text"], rest["sentiment"]))


def few(table: pd.DataFrame, per_class: int, seeds: list[int]) -> None:
    """Compare the ways to learn from a handful of texts per class."""
    scores: dict[str, list[float]] = {"usual": [], "pairs": [], "words": []}
    seconds: dict[str, list[float]] = {"usual": [], "pairs": []}
    for seed in seeds:
        shuffled = table.sample(frac=1, random_state=seed)
        drawn = shuffled.groupby("sentiment").head(per_class).reset_index(drop=True)
        rest = shuffled[~shuffled["text"].isin(drawn["text"])].head(TESTED)
        for name, values in (("usual", {"epochs": 10}), ("pairs", {"few_shot": True})):
            result, took = trained(drawn, seed, validation_fraction=0.15, **values)
            scores[name].append(accuracy(result, rest))
            seconds[name].append(took)
        scores["words"].append(words(drawn, rest, seed))
        print(f"  seed {seed}: " + ", ".join(f"{name} {values[-1]:.3f}" for name, values in scores.items()), flush=True)
    means = ", ".join(f"{name} {np.mean(values):.3f}" for name, values in scores.items())
    gains = [pairs - usual for pairs, usual in zip(scores["pairs"], scores["usual"], strict=True)]
    took = ", ".join(f"{name} {np.median(values):.0f} s" for name, values in seconds.items())
    print(f"{per_class} texts per class, {len(seeds)} seeds: {means}; pairs gain {interval(gains)}; {took}", flush=True)


def adaptation(table: pd.DataFrame, labeled: int, seeds: list[int]) -> None:
    """Compare trainings with and without a pass over the texts that have no label."""
    gains, scores = [], {0: [], 1: []}
    for seed in seeds:
        shuffled = table.sample(frac=1, random_state=seed).reset_index(drop=True)
        rest, frame = shuffled.head(TESTED), shuffled.iloc[TESTED:].reset_index(drop=True)
        frame = frame[~frame["text"].isin(rest["text"])].reset_index(drop=True)
        frame.loc[labeled:, "sentiment"] = None
        for passes, own in scores.items():
            result, took = trained(frame, seed, adaptation_epochs=passes, epochs=4)
            own.append(accuracy(result, rest))
            facts = result.training.get("adaptation")
            said = f", masked words {facts['before']:.2f} to {facts['after']:.2f}" if facts else ""
            print(f"  seed {seed}, {passes} passes: {own[-1]:.3f} in {took:.0f} s{said}", flush=True)
        gains.append(scores[1][-1] - scores[0][-1])
    print(f"{labeled} labeled texts, {len(seeds)} seeds: adaptation gains {interval(gains)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, nargs="*", default=[8, 16])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--labeled", type=int, default=200)
    parser.add_argument("--no-adaptation", action="store_true")
    arguments = parser.parse_args()
    table = load_sample("product_reviews").frame[["text", "sentiment"]].dropna().drop_duplicates("text")
    for per_class in arguments.per_class:
        few(table, per_class, arguments.seeds)
    if not arguments.no_adaptation:
        adaptation(table, arguments.labeled, arguments.seeds[:3])


if __name__ == "__main__":
    main()
