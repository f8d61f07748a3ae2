"""Learning from pairs of a few texts: batches, loss, head, and what it brings on real texts."""

from __future__ import annotations

import json
import runpy

import numpy as np
import pytest

from core.datasets import load_sample
from core.edge import TextScorer, export_onnx
from core.errors import SettingsError, StoppedError
from core.finetune import FineTuneSettings, fine_tune
from core.finetune.few_shot import few_shot_passes, mixed_batches, pair_loss
from tests.unit.finetune.families import write_base

pytestmark = pytest.mark.filterwarnings("ignore")


def test_batches_hold_the_classes_in_equal_shares():
    y = np.array([0] * 20 + [1] * 3 + [2] * 1)
    batches = list(mixed_batches(y, 9, np.random.default_rng(0)))
    counts = np.array([np.bincount(y[batch], minlength=3) for batch in batches])
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    assert set(np.concatenate(batches)) == set(range(24))
    assert few_shot_passes(y) * len(y) == 20 * sum(map(len, batches))


def test_the_loss_is_the_mean_squared_distance_from_the_cosine_of_each_pair():
    import torch

    random = np.random.default_rng(1)
    read, y = random.normal(size=(6, 4)), np.array([0, 0, 1, 1, 1, 2])
    unit = read / np.linalg.norm(read, axis=1, keepdims=True)
    same = [(1 - unit[i] @ unit[j]) ** 2 for i in range(6) for j in range(6) if i != j and y[i] == y[j]]
    other = [(unit[i] @ unit[j]) ** 2 for i in range(6) for j in range(6) if y[i] != y[j]]
    ours = float(pair_loss(torch.tensor(read), torch.tensor(y)))
    assert ours == pytest.approx((np.mean(same) + np.mean(other)) / 2, rel=1e-5)


@pytest.fixture(scope="module")
def few(train, reviews):
    """Twelve training texts of each class."""
    return train(reviews.head(60), few_shot=True, test_fraction=0.5)


def test_the_head_is_a_logistic_regression_on_what_it_reads(few):
    """Fitted again with scikit-learn on the saved model's own reading."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    result = few.result
    model = AutoModelForSequenceClassification.from_pretrained(result.model_dir, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(result.model_dir)
    read = []
    model.classifier.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0][0].double().numpy()))
    held = {*result.test["row_id"], *result.validation["row_id"]}
    rows = [row for row in range(60) if row not in held]
    with torch.inference_mode():
        for text in few.frame["text"].iloc[rows]:
            model(**tokenizer(text, truncation=True, max_length=48, return_tensors="pt"))
    features = (np.stack(read) - np.mean(read, axis=0)) / np.std(np.stack(read))
    y = few.frame["sentiment"].iloc[rows].to_numpy()
    fitted = LogisticRegression(C=1.0, max_iter=2_000, class_weight="balanced").fit(features, y)
    ours = result.predict(few.frame["text"].iloc[rows].tolist())["p(positive)"].to_numpy()
    assert ours == pytest.approx(fitted.predict_proba(features)[:, 1], abs=1e-4)


def test_the_result_is_one_like_any_other(few, tmp_path):
    result = few.result
    assert [line["step"] for line in result.history if "eval_loss" in line] == [result.training["steps"]]
    assert result.training["best_step"] == result.training["steps"]
    assert set(result.test_metrics) >= {"accuracy", "f1_macro", "log_loss"}
    texts = few.frame["text"].tolist()
    model = export_onnx(result.model_dir, tmp_path / "m.onnx", train=texts[:20], held_out=texts[20:40], max_length=48)
    scorer = TextScorer(model.path, result.model_dir / "tokenizer.json", model.labels, model.max_length)
    assert scorer.predict(texts)["label"].tolist() == result.predict(texts)["label"].tolist()


def test_a_stop_says_that_it_begins_again(settings_of, reviews, tmp_path):
    settings = settings_of(few_shot=True, test_fraction=0.5)
    with pytest.raises(StoppedError, match="Stopped at step 0") as caught:
        fine_tune(
            reviews.head(60),
            settings,
            output_dir=tmp_path,
            report=lambda event: None,
            should_stop=iter([False, True]).__next__,
        )
    assert "Resume to begin again" in caught.value.hint
    resumed = fine_tune(reviews.head(60), settings, output_dir=tmp_path, resume=True)
    assert resumed.test_metrics["accuracy"].n == 30


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lora": 4}, "few_shot trains all weights"),
        ({"task": "regression"}, "few_shot trains all weights of a model of classes"),
        ({"task": "multilabel"}, "few_shot trains all weights of a model of classes"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings_of, values, said):
    with pytest.raises(SettingsError, match=said):
        settings_of(few_shot=True, **values)


def test_what_it_cannot_do_is_refused(settings_of, reviews, tmp_path):
    with pytest.raises(SettingsError, match="few_shot is for classes; the labels hold a number"):
        fine_tune(reviews.head(60), settings_of(few_shot=True, label_column="rating", task="auto"), output_dir=tmp_path)
    base = write_base("gpt2", tmp_path / "gpt2", reviews["text"].tolist())
    with pytest.raises(SettingsError, match="few_shot needs a model that sums up a text"):
        fine_tune(reviews.head(60), settings_of(few_shot=True, base_model=str(base)), output_dir=tmp_path / "out")


def test_the_script_learns_from_the_same_pairs(few, tmp_path, monkeypatch):
    few.result.save(tmp_path / "result")
    few.frame.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    script = runpy.run_path(str(tmp_path / "result" / "train.py"))
    script["main"](str(tmp_path / "table.csv"), str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: few.result.test_metrics[name].value for name in written} == pytest.approx(written, abs=1e-6)


@pytest.mark.nightly
def test_eight_texts_per_class_gain_by_pairs(tmp_path):
    """MiniLM on reviews of three sentiments, three draws: the mean accuracy is better than that of the usual way."""
    frame = load_sample("product_reviews").frame
    gains = []
    for seed in range(3):
        drawn = frame.sample(frac=1, random_state=seed).groupby("sentiment").head(12).reset_index(drop=True)
        rest = frame[~frame["text"].isin(drawn["text"])].sample(300, random_state=seed)
        scores = []
        for few_shot in (False, True):
            settings = FineTuneSettings(
                text_column="text",
                label_column="sentiment",
                epochs=10,
                few_shot=few_shot,
                test_fraction=0,
                validation_fraction=0.3,
                seed=seed,
            )
            result = fine_tune(drawn, settings, output_dir=tmp_path / f"{seed}-{few_shot}")
            scores.append(
                float((result.predict(rest["text"].tolist())["label"].to_numpy() == rest["sentiment"]).mean())
            )
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0, gains
