"""Makes a small installation with one run of every kind, packed into ``tests/data``, to be opened by later versions.

    python tests/data/make_old_home.py home-1

An issue that changes stored things makes a new one with the code before it; an archive that is there is never changed.
``expected.json`` in the home holds what its models predicted when it was made.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
QUICK = {"time_budget_s": None, "max_trials": 5, "folds": 2, "test_fraction": 0.3}


def _ended(run_id: str, state: str = "SUCCEEDED") -> str:
    from core import jobs

    run = jobs.wait(run_id, 600, workspace="local")
    if run.state != state:
        raise SystemExit(f"{run.task}: {run.state}, {run.error_message}\n{jobs.log(run_id, workspace='local')}")
    print(f"{run.task}: {run.state.lower()}", flush=True)
    return run_id


def _upload(frame: Any, name: str) -> Any:
    from core import jobs
    from core.catalog import datasets
    from core.tasks import ingest

    run = jobs.get(
        _ended(ingest.submit_upload(io.BytesIO(frame.to_csv(index=False).encode()), name, workspace="local")),
        workspace="local",
    )
    return datasets.get(run.result["dataset_id"], "local")


def _tables() -> tuple[Any, Any, Any]:
    """Return a table with two classes, one with a number, one with texts."""
    import numpy as np
    import pandas as pd

    from core.datasets import load_sample

    credit = load_sample("german_credit").frame.head(300)
    credit = credit[["duration_months", "credit_amount", "purpose", "savings", "age", "sex", "credit"]].copy()
    credit.loc[::17, "savings"] = None
    reviews = load_sample("product_reviews").frame
    reviews = reviews[reviews["sentiment"] != "neutral"].head(160).reset_index(drop=True)
    diabetes = load_sample("diabetes").frame.head(160).copy()
    diabetes["seen_on"] = pd.date_range("2020-01-31", periods=len(diabetes), freq="11D").strftime("%Y-%m-%d")
    diabetes["note"] = [f"{text} number {number}" for number, text in enumerate(reviews["text"])]
    diabetes["ward"] = np.array(["north", "south", "east"])[np.arange(len(diabetes)) % 3]
    reviews["group"] = np.array(["x", "y"])[np.arange(len(reviews)) % 2]
    return credit, diabetes, reviews[["text", "sentiment", "group"]]


def _tiny_base(folder: Path, texts: list[str]) -> Path:
    """Write a BERT of one thin layer with random weights and a vocabulary of 300 pieces."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast, set_seed

    words = BertWordPieceTokenizer()
    words.train_from_iterator(texts, vocab_size=300, min_frequency=1)
    folder.mkdir(parents=True)
    words.save_model(str(folder))
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    set_seed(1)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=words.get_vocab_size(), **size)).save_pretrained(folder)
    return folder


def _fill(home: Path) -> dict[str, Any]:
    from core import jobs, models, policies
    from core.automl import AutoMLSettings
    from core.edge.latency import LatencySettings, LatencySuiteSettings
    from core.fairness import MitigationSettings, ThresholdPolicy
    from core.finetune import FineTuneSettings
    from core.tasks import (
        automl,
        check,
        estimate,
        explain,
        export,
        finetune,
        latency,
        mitigate,
        onnx_upload,
        score,
    )

    tables = _tables()
    credit, diabetes, reviews = (
        _upload(frame, f"{name}.csv") for frame, name in zip(tables, ("credit", "diabetes", "reviews"), strict=True)
    )
    _ended(check.submit(credit, "credit", ["age", "sex"]))
    binary = _ended(automl.submit(credit, AutoMLSettings(target="credit", sensitive_columns=("sex", "age"), **QUICK)))
    number = _ended(
        automl.submit(
            diabetes,
            AutoMLSettings(
                target="progression",
                featurization="custom",
                column_types={"note": "text", "seen_on": "date", "ward": "categorical"},
                column_imputation={"bmi": "mean"},
                ensemble=False,
                learners=("lgbm", "xgboost"),
                sensitive_columns=("sex",),
                **QUICK,
            ),
        )
    )
    forest = _ended(
        automl.submit(
            credit,
            AutoMLSettings(
                target="credit",
                learners=("rf",),
                explain=False,
                ensemble=False,
                drop_columns=("sex",),
                class_weights=True,
                **(QUICK | {"max_trials": 2}),
            ),
        )
    )
    continued = _ended(
        automl.submit(
            credit,
            AutoMLSettings(target="credit", sensitive_columns=("sex", "age"), **(QUICK | {"max_trials": 6})),
            continue_from=binary,
        )
    )
    failed = _ended(automl.submit(credit, AutoMLSettings(target="no such column", **QUICK)), "FAILED")
    cancelled = automl.submit(credit, AutoMLSettings(target="credit", time_budget_s=600))
    jobs.cancel(cancelled, workspace="local")
    _ended(cancelled, "CANCELLED")
    policy = ThresholdPolicy({"female": ((0.4, 1.0),), "male": ((0.5, 0.5), (0.6, 0.5))}, ("sex",))
    kept = policies.keep(jobs.get(binary, workspace="local"), "by sex", policy)
    policies.note_read(jobs.get(binary, workspace="local"), {"rule": "by sex"})
    exported = _ended(export.submit(jobs.get(binary, workspace="local"), modes=("dynamic-int8",), policy=kept))
    lab = LatencySuiteSettings(
        variants=("fp32",),
        native=True,
        sweep={"batch_size": [1, 4]},
        latency=LatencySettings(warmup_s=0.1, duration_s=0.3),
    )
    measured = _ended(latency.submit(jobs.get(exported, workspace="local"), lab))
    explained = _ended(explain.submit(jobs.get(binary, workspace="local"), budget_s=5))
    mitigated = _ended(
        mitigate.submit(
            jobs.get(binary, workspace="local"),
            MitigationSettings(sensitive_columns=("sex",), techniques=("reweighing", "grid_search"), grid_size=3),
        )
    )

    base = _tiny_base(home / "base", tables[2]["text"].tolist())
    texts = {
        "text_column": "text",
        "label_column": "sentiment",
        "base_model": str(base),
        "max_length": 24,
        "learning_rate": 3e-3,
        "threads": 1,
        "sensitive_columns": ("group",),
    }
    _ended(estimate.submit(reviews, FineTuneSettings(**texts, epochs=2)))
    trained = _ended(finetune.submit(reviews, FineTuneSettings(**texts, epochs=2)))
    stopped = finetune.submit(reviews, FineTuneSettings(**texts, epochs=900))
    while not jobs.events(stopped, phase="train", workspace="local"):
        jobs.tick()
        time.sleep(0.05)
    jobs.stop(stopped, workspace="local")
    _ended(stopped, "CANCELLED")
    text_export = _ended(export.submit(jobs.get(trained, workspace="local"), modes=("dynamic-int8",)))
    uploaded = _ended(
        onnx_upload.submit(
            io.BytesIO(jobs.artifact_path(exported, "model.onnx", workspace="local").read_bytes()),
            "m.onnx",
            workspace="local",
        )
    )

    model = models.register(binary, name="credit", notes="The first.", who="ann", workspace="local")
    models.register(forest, name="credit", who="ann", workspace="local")
    models.promote(model.id, 1, who="ann", why="It is all there is.", workspace="local")
    first = models.resolve(model.id, workspace="local")
    models.answer(first, "intended_use", "To test.", who="ann")
    models.answer(first, "about_people", "yes", who="ann")
    by_number = models.register(number, name="progression", workspace="local")
    by_text = models.register(trained, name="sentiment", workspace="local")
    rows = tables[0].tail(40).assign(key=range(40))
    scored = _ended(score.submit_upload(first, io.BytesIO(rows.to_csv(index=False).encode()), "rows.csv", row_id="key"))
    expected = {}
    for name, made, frame in (
        ("credit", model, tables[0]),
        ("progression", by_number, tables[1]),
        ("sentiment", by_text, tables[2]),
    ):
        sample = frame.tail(40).reset_index(drop=True)
        ids = {"row_id": "key"} if name == "credit" else {}
        sample = sample.assign(key=range(40))
        answers = models.RowScorer(models.resolve(made.id, workspace="local"), **ids).score(sample)
        expected[name] = {
            "model": made.id,
            "rows": json.loads(sample.to_json(orient="records")),
            "predictions": json.loads(answers.to_json(orient="records", double_precision=15)),
        }
    return {
        "runs": {
            "binary": binary,
            "number": number,
            "forest": forest,
            "continued": continued,
            "failed": failed,
            "cancelled": cancelled,
            "exported": exported,
            "measured": measured,
            "explained": explained,
            "mitigated": mitigated,
            "trained": trained,
            "stopped": stopped,
            "text_export": text_export,
            "uploaded": uploaded,
            "scored": scored,
        },
        "datasets": {"credit": credit.id, "diabetes": diabetes.id, "reviews": reviews.id},
        "policy": kept,
        "scores": expected,
    }


def main(name: str) -> None:
    """Fill a home and pack it."""
    target = HERE / f"{name}.tar.xz"
    if target.exists():
        raise SystemExit(f"{target} is there; an old home is never changed.")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        os.environ["PLUMBLINE_HOME"] = str(home)
        expected = _fill(home)
        (home / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
        from core.catalog.engine import get_engine

        get_engine().dispose()
        with contextlib.closing(sqlite3.connect(home / "catalog.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with tarfile.open(target, "w:xz", preset=9) as archive:
            archive.add(home, "home", filter=lambda item: None if item.name.endswith("-journal") else item)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1])
