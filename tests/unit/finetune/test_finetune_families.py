"""Each family that README names does what the table there says, or is refused with the reason that it gives."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.edge import TextScorer, export_onnx, write_bundle
from core.errors import ExportError, SettingsError, StoppedError
from core.finetune import FAMILIES, OPERATIONS, FineTuneResult, FineTuneSettings, families_table, fine_tune
from tests.unit.edge.test_edge_bundle import run as run_bundle
from tests.unit.finetune.families import write_base

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = pytest.mark.filterwarnings("ignore")

Base = tuple[str, Path]
NASTY = ["", " ", "</s> so </s>", "[SEP] [PAD]", "<pad>", "\N{WARNING SIGN} ok", "good " * 200]


@pytest.fixture(scope="session")
def base_of(reviews: pd.DataFrame, shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``base_of("bert")`` returns a base model of a family, made once."""

    def make(family: str) -> Path:
        return shared(
            f"finetune-family-{family}",
            lambda: write_base(family, tmp_path_factory.mktemp("families") / family, reviews["text"].tolist()),
        )

    return make


@pytest.fixture
def table(reviews: pd.DataFrame) -> pd.DataFrame:
    """Texts of very different lengths; some have the words that end a text for a tokenizer."""
    table = reviews.head(80).copy()
    table.loc[3, "text"] = "It ends </s> twice. </s>"
    table.loc[5, "text"] = " ".join(table["text"].head(20))
    return table


def trained(base: Path, table: pd.DataFrame, folder: Path, **values: Any) -> FineTuneResult:
    """Train a few steps."""
    return fine_tune(table, settings_of(base, **values), output_dir=folder)


def settings_of(base: Path, **values: Any) -> FineTuneSettings:
    defaults = {"text_column": "text", "label_column": "sentiment", "base_model": str(base), "epochs": 1, "threads": 1}
    return FineTuneSettings(**defaults | {"learning_rate": 3e-3, "max_length": 48, "test_fraction": 0.4} | values)


def answers_alone(folder: Path, texts: list[str]) -> np.ndarray:
    """Return the logits of a saved model as transformers loads it, each text by itself, shape (n, labels)."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return np.concatenate(
            [model(**tokenizer(text, truncation=True, max_length=48, return_tensors="pt")).logits for text in texts]
        )


def check_answers(family: str, result: FineTuneResult) -> None:
    """The folder, loaded by transformers alone, answers as the result does, whatever texts are scored together."""
    texts = [text for text in NASTY if text.strip()]
    logits = answers_alone(result.model_dir, texts)
    if result.labels is None:
        expected, answers = logits[:, 0], result.predict(texts)["label"].to_numpy()
    else:
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        expected = exponentials / exponentials.sum(axis=1, keepdims=True)
        answers = result.predict(texts)[[f"p({label})" for label in result.labels]].to_numpy()
    if not depends_on_batch(result):
        assert answers == pytest.approx(expected, abs=2e-5)


def depends_on_batch(result: FineTuneResult) -> bool:
    return any(finding.check == "answers_depend_on_batch" for finding in result.findings)


def classify(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    result = trained(base, table, tmp_path)
    assert result.labels == ["negative", "positive"]
    check_answers(family, result)
    assert depends_on_batch(result) is (family == "fnet")


def regress(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    result = trained(base, table, tmp_path / "stars", label_column="rating")
    check_answers(family, result)
    best = min(line["rmse"] for line in result.history if "rmse" in line)
    errors = result.validation["prediction"] - result.validation["rating"]
    assert float(np.sqrt((errors**2).mean())) == pytest.approx(best, rel=0.01 if depends_on_batch(result) else 1e-5)
    far = table.assign(year=2_000 + table["rating"])
    if "regress" in FAMILIES[family].limits:
        with pytest.raises(SettingsError, match="'year' lies far from 0"):
            trained(base, far, tmp_path / "years", label_column="year")
        return
    years = trained(base, far, tmp_path / "years", label_column="year")
    assert years.test["prediction"].between(1_990, 2_015).all()


def lora(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    result = trained(base, table, tmp_path, lora=2)
    check_answers(family, result)
    assert result.training["trainable"] < 20_000


def freeze(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    from transformers import AutoModel

    if "freeze" in FAMILIES[family].limits:
        with pytest.raises(SettingsError, match=FAMILIES[family].limits["freeze"]):
            trained(base, table, tmp_path, freeze_layers=1)
        return
    result = trained(base, table, tmp_path, freeze_layers=1)
    before, after = (
        AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach().numpy()
        for folder in (base, result.model_dir)
    )
    assert (before == after).all()
    whole = trained(base, table, tmp_path / "whole")
    assert result.training["trainable"] < whole.training["trainable"]
    check_answers(family, result)


def resume(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    settings = settings_of(base, epochs=2)
    steps = itertools.count()
    with pytest.raises(StoppedError):
        fine_tune(table, settings, output_dir=tmp_path / "own", should_stop=lambda: next(steps) > 2)
    result = fine_tune(table, settings, output_dir=tmp_path / "own", resume=True)
    whole = fine_tune(table, settings, output_dir=tmp_path / "whole")
    assert result.test.equals(whole.test)


def export(family: str, base: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    result = trained(base, table, tmp_path)
    texts = table["text"].tolist()

    def exported() -> Any:
        return export_onnx(
            result.model_dir, tmp_path / "m.onnx", train=texts[:20], held_out=texts[20:60], max_length=48
        )

    if "export" in FAMILIES[family].limits:
        with pytest.raises(ExportError, match=f"'{family}' model") as caught:
            exported()
        assert "such as BERT" in caught.value.hint
        return
    model = exported()
    scorer = TextScorer(model.path, result.model_dir / "tokenizer.json", model.labels, model.max_length)
    nasty = [text for text in NASTY if text.strip()]
    assert scorer.outputs(nasty) == pytest.approx(answers_alone(result.model_dir, nasty), abs=1e-4)
    assert scorer.predict(nasty)["label"].tolist() == result.predict(nasty)["label"].tolist()
    tokenizer = result.model_dir / "tokenizer.json"
    write_bundle(tmp_path / "b.zip", model, sample=nasty, card="", license="", tokenizer=tokenizer)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    done = run_bundle(tmp_path / "bundle", "--check")
    assert done.returncode == 0, done.stderr


CHECKS = {
    "classify": classify,
    "regress": regress,
    "lora": lora,
    "freeze": freeze,
    "resume": resume,
    "export": export,
}
PAIRS = list(itertools.product(FAMILIES, CHECKS))


def default(position: int) -> bool:
    """One operation of each family is in the default tier, another from family to family."""
    family, operation = divmod(position, len(CHECKS))
    return operation == family % len(CHECKS)


@pytest.mark.parametrize(
    ("family", "operation"),
    [
        pytest.param(*pair, marks=() if default(position) else pytest.mark.nightly)
        for position, pair in enumerate(PAIRS)
    ],
)
def test_the_family_does_it(family, operation, base_of, table, tmp_path):
    CHECKS[operation](family, base_of(family), table, tmp_path)


def test_readme_has_the_table():
    assert set(CHECKS) == set(OPERATIONS)
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert families_table() in readme
