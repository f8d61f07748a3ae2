"""Decisions of an exported model and its bundle against those of the original model and policy, on tied scores."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from core.automl import build_estimator, make_model
from core.edge import Metadata, OnnxModel, export_onnx, write_bundle
from core.edge.export.parity import Answers, compare, require_parity
from core.edge.portable.cli import FILE_DECISION, main, predict
from core.errors import ExportError
from core.fairness import ThresholdPolicy, bin_numbers, optimize_thresholds, single_threshold
from core.features import TableEncoder

ROWS = 4000


@dataclass(frozen=True)
class Case:
    """A model with few scores, each of many rows, and the table that it is asked about."""

    frame: pd.DataFrame
    model: object
    y: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        return self.model.predict_proba(self.frame)[:, 1]

    def policy(self, how: str) -> ThresholdPolicy:
        groups = self.frame[["group", "age"]].assign(age=bin_numbers(self.frame["age"], 3))
        asked = {"constraint": "equalized_odds", "min_group_size": 30}
        match how:
            case "single":
                return single_threshold(self.y, self.scores, groups["group"], **asked)
            case "group":
                return optimize_thresholds(self.y, self.scores, groups["group"], randomized=False, **asked)
            case "drawn":
                return optimize_thresholds(self.y, self.scores, groups["group"], **asked)
            case _:
                return optimize_thresholds(self.y, self.scores, groups, randomized=False, **asked)

    def decisions(self, policy: ThresholdPolicy) -> list[int]:
        return policy.predict(self.scores, self.frame, row_ids=self.frame["row_id"]).tolist()


def case_of(learner: str) -> Case:
    random = np.random.default_rng(0)
    features = pd.DataFrame({"x": random.choice([0.1, 0.7, 3.0], ROWS), "word": random.choice(["p", "q"], ROWS)})
    y = (random.random(ROWS) < 0.2 + 0.2 * (features["x"] > 0.5) + 0.3 * (features["word"] == "q")).astype(int)
    config = {} if learner == "linear" else {"n_estimators": 5}
    estimator = build_estimator(learner, config, "binary", jobs=1, seed=0)
    encoder = TableEncoder().fit(features)
    model = make_model(encoder, estimator.fit(encoder.transform(features), y), ["no", "yes"])
    others = {"group": random.choice(["a", "b", None], ROWS, p=[0.5, 0.497, 0.003]), "age": random.normal(40, 15, ROWS)}
    return Case(features.assign(**others, row_id=[f"r{row}" for row in range(ROWS)]), model, y.to_numpy())


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {learner: case_of(learner) for learner in ("lgbm", "xgboost", "linear")}


def unpacked(model: OnnxModel, folder: Path, **values: object) -> Path:
    made = write_bundle(folder / "b.zip", model, card="", license="", **values)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def predicted(folder: Path, frame: pd.DataFrame, scratch: Path) -> list[int]:
    """Return the decisions of a bundle on a file."""
    frame.iloc[:, ::-1].to_csv(scratch / "rows.csv", index=False)
    target = io.StringIO(newline="")
    predict(folder, scratch / "rows.csv", target)
    return [int(row["decision"]) for row in csv.DictReader(io.StringIO(target.getvalue()))]


def expected_rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "expected_output.csv").read_text())))


EACH_ONCE = [("lgbm", "drawn"), ("xgboost", "binned"), ("linear", "single")]
OTHERS = [
    pytest.param(learner, how, marks=pytest.mark.nightly)
    for learner in ("lgbm", "xgboost", "linear")
    for how in ("single", "group", "drawn", "binned")
    if (learner, how) not in EACH_ONCE
]


@pytest.mark.parametrize(("learner", "how"), [*EACH_ONCE, *OTHERS])
def test_a_file_and_its_bundle_decide_as_the_model_and_the_policy(
    cases, learner: str, how: str, tmp_path: Path
) -> None:
    case = cases[learner]
    assert len(np.unique(case.scores.astype(np.float32))) <= 6
    policy = case.policy(how)
    expected = case.decisions(policy)
    assert 0 < sum(expected) < ROWS
    exported = export_onnx(
        case.model, tmp_path / "m.onnx", train=case.frame.head(100), held_out=case.frame, policy=policy
    )
    held_out = exported.parity["held_out"]
    assert held_out["decisions"] == ROWS
    assert held_out["decision_flips"] == held_out["decision_ties"] == 0
    folder = unpacked(exported, tmp_path, sample=case.frame.head(40))
    assert predicted(folder, case.frame, tmp_path) == expected
    rows = expected_rows(folder)
    assert [int(row["decision"]) for row in rows] == expected[:40]
    assert main(["--check"], folder) == 0
    assert "those of the original model" in (folder / "README.md").read_text()


def test_a_bundle_that_decides_unlike_its_model_is_refused(cases, tmp_path: Path) -> None:
    case = cases["lgbm"]
    exported = export_onnx(
        case.model, tmp_path / "m.onnx", train=case.frame.head(100), held_out=case.frame, policy=case.policy("group")
    )
    other = case.model.predict_proba(case.frame.head(40))[:, ::-1]
    with pytest.raises(ExportError, match=r"decides unlike the model on [0-9]+ of 40 rows"):
        write_bundle(tmp_path / "b.zip", exported, sample=case.frame.head(40), card="", license="", original=other)
    assert not (tmp_path / "b.zip").exists()


def test_a_smaller_variant_says_where_it_decides_unlike_its_model(
    cases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = cases["lgbm"]
    policy = case.policy("group")
    exported = export_onnx(
        case.model, tmp_path / "m.onnx", train=case.frame.head(100), held_out=case.frame, policy=policy
    )
    proto = onnx.load(exported.path)
    replace(Metadata.read(proto), variant="dynamic-int8").write(proto)
    onnx.save(proto, tmp_path / "small.onnx")
    sample = case.frame.head(40)
    outputs = case.model.predict_proba(sample)
    outputs[:3] = outputs[:3, ::-1]
    expected = policy.predict(outputs[:, 1], sample).tolist()
    unlike = sum(np.array(expected) != case.decisions(policy)[:40])
    small = replace(exported, path=tmp_path / "small.onnx", variant="dynamic-int8")
    folder = unpacked(small, tmp_path, sample=sample, original=outputs)
    rows = expected_rows(folder)
    assert [int(row["decision"]) for row in rows] == expected
    assert [int(row[FILE_DECISION]) for row in rows] == case.decisions(policy)[:40]
    assert main(["--check"], folder) == 0
    assert f"{unlike} of them are decided unlike the model" in capsys.readouterr().out


def test_decisions_that_differ_are_counted_unless_they_are_ties() -> None:
    outputs = np.full((4, 1), 0.5)
    near = np.array([False, False, True, True])
    result = compare(
        Answers(outputs, None, np.array([1, 0, 1, -1]), near), Answers(outputs, None, np.array([1, 1, 0, -1]))
    )
    assert (result.decisions, result.decision_flips, result.decision_ties, result.equal) == (3, 1, 1, False)
    assert result.shown[0] == {
        "row": 1,
        "model": {"outputs": [0.5], "decision": 0},
        "file": {"outputs": [0.5], "decision": 1},
    }
    with pytest.raises(
        ExportError, match=r"decides differently on 1\. The first, model against file: 1: 0\.5, decision 0"
    ):
        require_parity({"train": result})


def test_the_rows_of_a_check_have_no_score_at_a_threshold(cases, tmp_path: Path) -> None:
    """Policies of earlier versions have thresholds at scores, which the last digit decides."""
    case = cases["lgbm"]
    cut = float(np.sort(np.unique(case.scores))[2])
    policy = ThresholdPolicy(dict.fromkeys(["a", "b", "(missing)"], ((cut, 1.0),)), ("group",))
    exported = export_onnx(
        case.model, tmp_path / "m.onnx", train=case.frame.head(100), held_out=case.frame, policy=policy
    )
    folder = unpacked(exported, tmp_path, sample=case.frame.head(40))
    rows = expected_rows(folder)
    clear = case.scores[:40] != cut
    assert 0 < len(rows) == clear.sum() < 40
    assert [int(row["decision"]) for row in rows] == (case.scores[:40] >= cut)[clear].astype(int).tolist()
