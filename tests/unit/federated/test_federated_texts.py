"""Adapters of a text model that sites train in turn: their mean, the evidence, and a result like that of a training."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core import jobs, models
from core.access import LOCAL
from core.catalog import RunState, datasets
from core.datasets import load_sample
from core.errors import InputError
from core.federated import FederatedTextResult, FederatedTextSettings, federate_texts
from core.federated.coordinator.study import Study
from core.federated.site.in_process import InProcessSites
from core.federated.texts.site import TextPlan, TextSite, adapters_of
from core.tasks import federated_texts, ingest
from tests.golden import tiny_base


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    """Sentences about products from three shops, of which one has mostly bad ones."""
    frame = load_sample("product_reviews").frame
    frame = frame[frame["sentiment"] != "neutral"].head(360).reset_index(drop=True)
    shop = np.random.default_rng(0).choice(["a", "b"], len(frame))
    bad = (frame["sentiment"] == "negative") & (np.random.default_rng(1).random(len(frame)) < 0.5)
    return frame[["text", "sentiment"]].assign(shop=np.where(bad, "c", shop))


@pytest.fixture(scope="module")
def settings(reviews: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``settings(rounds=2)``: settings for a thin BERT with random weights."""
    base = tiny_base(tmp_path_factory.mktemp("models") / "tiny-bert", reviews["text"].tolist())

    def make(**values: Any) -> FederatedTextSettings:
        defaults: dict[str, Any] = {"text_column": "text", "target": "sentiment", "site_column": "shop", "threads": 1}
        defaults |= {"base_model": str(base), "rounds": 2, "max_length": 32, "learning_rate": 5e-3}
        return FederatedTextSettings(**defaults | values)

    return make


def test_the_result_is_like_that_of_a_training(reviews: pd.DataFrame, settings: Any, tmp_path: Path) -> None:
    result = federate_texts(reviews, settings(pooled=True), output_dir=tmp_path / "training")
    assert [item.site for item in result.sites] == ["a", "b", "c"]
    assert all({"federated", "local", "pooled"} <= set(item.metrics) for item in result.sites)
    assert result.training.labels == ["negative", "positive"]
    rows = result.training.rows
    assert rows["train"] + rows["validation"] + rows["test"] == rows["all"]
    assert rows["train"] == sum(item.train for item in result.sites)
    held_out = set(result.training.test["row_id"]) | set(result.training.validation["row_id"])
    assert len(held_out) == rows["validation"] + rows["test"]
    assert set(result.training.test["shop"]) == {"a", "b", "c"}
    chances = result.training.predict(reviews["text"].iloc[result.training.test["row_id"]].tolist())
    np.testing.assert_allclose(chances["p(positive)"], result.training.test["p(positive)"], atol=1e-5)
    result.save(tmp_path / "saved")
    again = FederatedTextResult.load(tmp_path / "saved")
    assert again.to_dict() == result.to_dict()
    assert "No text left a site" in result.privacy.sentences[0]
    assert set(result.messages["kind"]) == {"text_schema", "text_plan", "adapters", "unmask"}
    assert result.messages.loc[result.messages["kind"] == "adapters", "masked"].all()


def test_a_round_is_the_mean_of_what_sites_train_by_themselves(reviews: pd.DataFrame, settings: Any) -> None:
    wanted = settings(rounds=1)
    labels = ["negative", "positive"]
    frames = {str(name): part.reset_index(drop=True) for name, part in reviews.groupby("shop")}
    keys: dict[str, str] = {}
    sites = [TextSite(name, frame.drop(columns="shop")) for name, frame in frames.items()]
    for site in sites:
        keys[site.name] = site.keys.public
    plan = TextPlan(wanted, "binary", labels, {}, keys)
    for site in sites:
        site.agree(plan)
    study = Study(InProcessSites(sites), masked=True, public_keys=keys)
    start = adapters_of(plan, {}).weights()
    total = study.total("adapters", arrays={"weights": start})
    update = total["update"] / float(total["rows"][0])
    alone = []
    for site in sites:
        adapters = adapters_of(plan, {})
        adapters.set_weights(start)
        np.testing.assert_array_equal(adapters.weights(), start)
        seed = int(site.generator(1).integers(2**31 - 1))
        adapters.train(site.texts(site.train), site.y.astype(np.intp), epochs=1, seed=seed)
        alone.append(adapters.weights() - start)
    counts = np.array([len(site.train) for site in sites], dtype=float)
    np.testing.assert_allclose(update, counts @ np.stack(alone) / counts.sum(), atol=1e-7)
    assert np.linalg.norm(update) > 0


def test_no_text_is_in_any_message(reviews: pd.DataFrame, settings: Any, tmp_path: Path) -> None:
    table = reviews.copy()
    table.loc[table.index[:3], "sentiment"] = "secret"
    result = federate_texts(table, settings(rounds=1, local_models=False), output_dir=tmp_path / "training")
    assert result.training.labels == ["negative", "positive"]
    assert all(item.gain is None for item in result.sites)


def test_what_is_not_a_study_of_texts_is_refused(reviews: pd.DataFrame, settings: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two labels"):
        federate_texts(reviews.assign(sentiment="good"), settings(), output_dir=tmp_path)
    with pytest.raises(InputError, match="two are needed"):
        federate_texts(reviews.assign(shop="a"), settings(), output_dir=tmp_path)


def test_a_run_keeps_it_like_a_training(
    reviews: pd.DataFrame, settings: Any, installation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installation(tmp_path / "home", BASE_MODELS=str(Path(settings().base_model).parent)):
        file = io.BytesIO(reviews.to_csv(index=False).encode())
        imported = jobs.wait(ingest.submit_upload(file, "reviews.csv", access=LOCAL), 120, access=LOCAL)
        dataset = datasets.get(imported.result["dataset_id"], access=LOCAL)
        run = jobs.wait(federated_texts.submit(dataset, settings(), access=LOCAL), 240, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL)[-2_000:])
        assert run.result["export_error"] is None
        card = models.card_of_run(run.id, access=LOCAL).to_markdown()
        assert "LoRA adapters of a text model, trained in 2 rounds by 3 sites" in card
        version = models.versions(models.register(run.id, name="Reviews", access=LOCAL).id, access=LOCAL)[0]
        scored = models.score(version.id, reviews.head(5)[["text"]], access=LOCAL)
        assert scored["p(positive)"].between(0, 1).all()


@pytest.mark.nightly
@pytest.mark.timeout(1_200)
def test_minilm_learns_from_sites_that_differ(tmp_path: Path) -> None:
    frame = load_sample("product_reviews").frame
    frame = frame[frame["sentiment"] != "neutral"].head(1_200).reset_index(drop=True)
    frame = frame.assign(shop=np.random.default_rng(0).choice(["a", "b", "c", "d"], len(frame)))
    settings = FederatedTextSettings(text_column="text", target="sentiment", site_column="shop", rounds=5)
    result = federate_texts(frame, settings, output_dir=tmp_path / "training")
    test = result.training.test
    assert roc_auc_score(test["sentiment"] == "positive", test["p(positive)"]) > 0.8
    adapters = int(result.messages.loc[result.messages["kind"] == "adapters", "received"].max())
    assert adapters < 4e6
