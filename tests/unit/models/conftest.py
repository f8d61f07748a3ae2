"""Finished runs to register: real searches and a real fine-tuning, each done once, put into a fresh catalog."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.access import LOCAL
from core.automl import AutoMLResult, AutoMLSettings, search
from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.datasets import fingerprint, load_sample, profile, store_frame
from core.demo import reviews as reviews_table
from core.finetune import FineTuneResult
from core.storage import get_store
from tests.golden import golden_files

Shared = Callable[[str, Callable[[], Any]], Any]
QUICK = {"time_budget_s": None, "max_trials": 3, "folds": 2, "learners": ("lgbm",)}


@pytest.fixture(scope="session")
def credit_frame() -> pd.DataFrame:
    return load_sample("german_credit").frame


@pytest.fixture(scope="session")
def credit_result(golden) -> AutoMLResult:
    """Two classes, two sensitive columns of which the model reads one."""
    return AutoMLResult.load(golden_files("rival"))


@pytest.fixture(scope="session")
def other_credit(credit_frame: pd.DataFrame, shared: Shared) -> AutoMLResult:
    """The same table and test rows, other features."""
    return shared(
        "models-other_credit",
        lambda: search(credit_frame, AutoMLSettings(target="credit", drop_columns=("status", "savings"), **QUICK)),
    )


@pytest.fixture(scope="session")
def diabetes_frame() -> pd.DataFrame:
    return load_sample("diabetes").frame


@pytest.fixture(scope="session")
def diabetes_result(diabetes_frame: pd.DataFrame, shared: Shared) -> AutoMLResult:
    """A number."""
    return shared(
        "models-diabetes_result",
        lambda: search(diabetes_frame, AutoMLSettings(target="progression", sensitive_columns=("sex",), **QUICK)),
    )


@pytest.fixture(scope="session")
def wine_frame() -> pd.DataFrame:
    """Three classes, numbered 1, 5 and 9, and a column that stands for groups."""
    frame = load_sample("wine").frame
    numbers = frame["cultivar"].map({"class_0": 1, "class_1": 5, "class_2": 9})
    return frame.assign(cultivar=numbers, region=["north", "south"] * (len(frame) // 2))


@pytest.fixture(scope="session")
def wine_result(wine_frame: pd.DataFrame, shared: Shared) -> AutoMLResult:
    settings = {"sensitive_columns": ("region",), "drop_columns": ("region",), "test_fraction": 0.5}
    return shared(
        "models-wine_result", lambda: search(wine_frame, AutoMLSettings(target="cultivar", **settings, **QUICK))
    )


@pytest.fixture(scope="session")
def reviews_frame() -> pd.DataFrame:
    return reviews_table()


@pytest.fixture(scope="session")
def reviews_result(golden) -> FineTuneResult:
    """Two classes of texts, by a thin model."""
    return FineTuneResult.load(golden_files("text"))


Files = Callable[[Any, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """``files(thing, write)`` is the folder that ``write`` filled for the thing, once."""
    written: dict[int, tuple[Any, Path]] = {}

    def get(thing: Any, write: Callable[[Path], None]) -> Path:
        if id(thing) not in written:
            folder = tmp_path_factory.mktemp("written")
            write(folder)
            written[id(thing)] = thing, folder  # the thing stays, so that no other has its id
        return written[id(thing)][1]

    return get


def _write_table(frame: pd.DataFrame, folder: Path) -> None:
    path = store_frame(frame, folder / "table.parquet")
    (folder / "profile.json").write_text(json.dumps(profile(path).to_dict()), encoding="utf-8")


def _dataset(frame: pd.DataFrame, name: str, folder: Path, **roles: Any) -> Dataset:
    path = folder / "table.parquet"
    dataset, _ = datasets.add(
        Dataset(
            workspace="local",
            name=name,
            fingerprint=fingerprint(path),
            data_digest=get_store().put_file(path),
            profile_digest=get_store().put_file(folder / "profile.json"),
            rows=len(frame),
            columns=frame.shape[1],
            size_bytes=path.stat().st_size,
            source=f"{name}.csv",
            roles=roles,
        ),
        access=LOCAL,
    )
    return dataset


Finish = Callable[..., Run]


@pytest.fixture
def finish(home: Path, files: Files) -> Finish:
    """``finish(result, frame)`` puts a result into the catalog as the run that made it leaves it behind."""

    def put(result: Any, frame: pd.DataFrame, title: str = "credit from German credit") -> Run:
        folder = files(result, result.save)
        table = files(frame, partial(_write_table, frame))
        dataset = _dataset(frame, title.split(" from ")[-1], table)
        task = "finetune" if isinstance(result, FineTuneResult) else "automl"
        values = {"verdict": result.verdict, "dataset_fingerprint": dataset.fingerprint}
        settings = result.settings.model_dump(mode="json")
        run = Run(workspace="local", task=task, title=title, dataset_id=dataset.id, settings=settings, result=values)
        run.state, run.started_at, run.finished_at = RunState.SUCCEEDED, 1.0, 2.0
        runs.add(run, access=LOCAL)
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            keep(run, path.relative_to(folder).as_posix(), path.read_bytes())
        return run

    return put


def keep(run: Run, name: str, content: bytes) -> None:
    """Store a file with a run."""
    digest = get_store().put_bytes(content)
    artifacts.add(
        RunArtifact(workspace=run.workspace, run_id=run.id, name=name, digest=digest, size_bytes=len(content)),
        access=LOCAL,
    )


@pytest.fixture
def credit(finish: Finish, credit_result: AutoMLResult, credit_frame: pd.DataFrame) -> Run:
    return finish(credit_result, credit_frame)


@pytest.fixture
def diabetes(finish: Finish, diabetes_result: AutoMLResult, diabetes_frame: pd.DataFrame) -> Run:
    return finish(diabetes_result, diabetes_frame, "progression from Diabetes")


@pytest.fixture
def reviews(finish: Finish, reviews_result: FineTuneResult, reviews_frame: pd.DataFrame) -> Run:
    return finish(reviews_result, reviews_frame, "sentiment from Reviews")


@pytest.fixture
def with_model() -> Callable[..., AutoMLResult]:
    """``with_model(result, model)`` is the result with another pipeline."""
    return lambda result, model: replace(result, model=model)
