"""Fine-tuning against the plain script of 2021: rows per second and accuracy, side by side on this machine.

    python benchmarks/finetune.py [rows] [epochs]

Targets: 3 times the rows per second, at an accuracy that is at most one point lower; better than TF-IDF; and less than
1% of the steps' time for progress, which is written into a catalog as in a run of the product.

Both train the packaged MiniLM on positive and negative product reviews, with the same rows, epochs, batch size and
learning rate. The plain script pads every text to 128 tokens, as tutorials did, and draws batches at random.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.access import LOCAL

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.catalog import Run, events, runs  # noqa: E402
from core.datasets import load_sample  # noqa: E402
from core.finetune import FineTuneSettings, fine_tune, quiet_transformers  # noqa: E402
from core.finetune.base_model import resolve  # noqa: E402
from core.finetune.build import build  # noqa: E402
from core.finetune.data import prepare  # noqa: E402


def plain(frame, settings):
    """Train as in 2021; return training rows per second, and accuracy on the test rows."""
    import torch

    data = prepare(frame, settings)
    with quiet_transformers(settings.threads):
        model, tokenizer = build(resolve(settings.base_model), data.kind, data.labels, settings)

        def encoded(rows):
            return tokenizer(
                data.part(rows), padding="max_length", truncation=True, max_length=128, return_tensors="pt"
            )

        inputs, y = encoded(data.train), torch.tensor(data.y[data.train])
        size = settings.train_batch_size
        steps = settings.epochs * -(-len(y) // size)
        optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        rate = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(step / max(1, 0.1 * steps), (steps - step) / (0.9 * steps))
        )
        model.train()
        began = time.perf_counter()
        for _ in range(settings.epochs):
            for rows in torch.randperm(len(y)).split(size):
                loss = model(**{name: values[rows] for name, values in inputs.items()}, labels=y[rows]).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                rate.step()
                optimizer.zero_grad()
        speed = settings.epochs * len(y) / (time.perf_counter() - began)
        model.eval()
        held = encoded(data.test)
        logits = []
        with torch.inference_mode():
            for rows in torch.arange(len(data.test)).split(64):
                logits.append(model(**{name: values[rows] for name, values in held.items()}).logits.numpy())
    return speed, float(np.mean(np.vstack(logits).argmax(axis=1) == data.y[data.test]))


def clocked(spent):
    """Record the time of each call of the Trainer's progress callback."""
    from core.finetune import training_progress

    def timed(method):
        def call(*args, **kwargs):
            before = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                spent.append(time.perf_counter() - before)

        return call

    for name in [name for name in vars(training_progress.ProgressCallback) if name.startswith("on_")]:
        setattr(training_progress.ProgressCallback, name, timed(getattr(training_progress.ProgressCallback, name)))


def main(rows: int, epochs: int) -> None:
    """Print the ratio and the figures behind it."""
    spent = []
    clocked(spent)
    frame = load_sample("product_reviews").frame
    frame = frame[frame["sentiment"] != "neutral"].head(rows).reset_index(drop=True)
    settings = FineTuneSettings(text_column="text", label_column="sentiment", epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLUMBLINE_HOME"] = f"{folder}/home"
        bench = replace(LOCAL, workspace="bench")
        runs.add(Run(id="run", workspace="bench", task="finetune"), access=bench)  # opens the database
        result = fine_tune(
            frame,
            settings,
            output_dir=f"{folder}/run",
            report=lambda event: events.append("run", event, access=bench),
        )
        event_count = len(events.read("run", access=bench))
    speed, accuracy = plain(frame, settings)
    own = result.test_metrics["accuracy"]
    gain = result.differences["tfidf"]
    print(f"{len(frame):,} rows, {epochs} epochs, {result.device}")
    steps_s = result.training["steps"] * settings.train_batch_size / result.samples_a_second
    share = sum(spent) / steps_s
    print(f"progress         {share:.2%} of the steps' time ({event_count} events, {sum(spent):.2f} s)")
    ours, ratio = result.samples_a_second, result.samples_a_second / speed
    print(f"rows per second    ours {ours:6.1f}   plain {speed:6.1f}   ratio {ratio:.1f}")
    print(f"accuracy         ours {own.value:6.3f}   plain {accuracy:6.3f}")
    print(f"against TF-IDF   {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] on {gain.n} rows")


if __name__ == "__main__":
    main(*(int(value) for value in (*sys.argv[1:], *("1000000", "3")[len(sys.argv) - 1 :])))
