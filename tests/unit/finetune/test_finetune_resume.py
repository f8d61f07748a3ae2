"""Stopped, killed and resumed: nothing is lost, and nothing is done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import SettingsError, StoppedError
from core.finetune import fine_tune
from core.finetune.checkpoints import TrainingFolder

ROOT = Path(__file__).resolve().parents[3]


def stop_at(step):
    """Return a report that watches the step, and a should_stop that says so once it is reached."""
    seen = [0]

    def report(event):
        seen[0] = event.values.get("step", seen[0])

    return report, lambda: seen[0] >= step


def stopped(frame, settings, folder, step):
    report, should_stop = stop_at(step)
    with pytest.raises(StoppedError) as caught:
        fine_tune(frame, settings, output_dir=folder, report=report, should_stop=should_stop)
    return caught.value


def test_from_the_end_of_an_epoch_the_losses_are_the_same_bits(reviews, settings_of, plain, tmp_path):
    settings = settings_of(epochs=3, sensitive_columns=("group",))
    error = stopped(reviews, settings, tmp_path, 14 - 1)
    assert error.message == "Stopped at step 14 of 42; resume to continue."
    assert "never stopped" in error.hint
    result = fine_tune(reviews, settings, output_dir=tmp_path, resume=True)
    assert result.history == plain.result.history
    assert result.test.equals(plain.result.test)
    assert result.test_metrics == plain.result.test_metrics


@pytest.mark.parametrize(
    "values",
    [
        {},
        pytest.param({"lora": 4}, marks=pytest.mark.nightly),
        pytest.param({"label_column": "rating"}, marks=pytest.mark.nightly),
        pytest.param({"gradient_accumulation": 2}, marks=pytest.mark.nightly),
    ],
)
def test_from_the_middle_of_an_epoch_they_are_too(reviews, settings_of, tmp_path, train, values):
    settings = settings_of(epochs=3, **values)
    error = stopped(reviews, settings, tmp_path, 10 - 1)
    assert error.message.startswith("Stopped at step 10 of ")
    assert "In the middle of an epoch" in error.hint
    result = fine_tune(reviews, settings, output_dir=tmp_path, resume=True)
    whole = train(epochs=3, **values).result
    assert result.history == whole.history
    assert result.test.equals(whole.test)


def test_a_long_evaluation_does_not_keep_a_stop_waiting(reviews, settings_of, plain, tmp_path, monkeypatch):
    from core.finetune import training_progress

    monkeypatch.setattr(training_progress, "_LONG_EVALUATION_S", 0.0)
    settings = settings_of(epochs=3, sensitive_columns=("group",))
    saved = tmp_path / "checkpoints" / "checkpoint-13" / "trainer_state.json"
    with pytest.raises(StoppedError) as caught:
        fine_tune(reviews, settings, output_dir=tmp_path, should_stop=saved.is_file)
    assert caught.value.message == "Stopped at step 13 of 42; resume to continue."
    assert not any("eval_loss" in line for line in TrainingFolder(tmp_path).history())
    result = fine_tune(reviews, settings, output_dir=tmp_path, resume=True)
    assert result.test.equals(plain.result.test)
    own, other = ([line for line in item.history if "eval_loss" in line] for item in (result, plain.result))
    assert own == other


@pytest.mark.nightly
def test_early_stopping_counts_on(reviews, settings_of, train, tmp_path):
    values = {"epochs": 30, "learning_rate": 2e-2, "early_stopping_patience": 2, "metric_for_best_model": "log_loss"}
    whole = train(**values).result
    last = whole.history[-1]["step"]
    stopped(reviews, settings_of(**values), tmp_path, last - 14 - 1)
    result = fine_tune(reviews, settings_of(**values), output_dir=tmp_path, resume=True)
    # Loss is logged at the stop too, so only the evaluations are at the same steps.
    own, other = ([line for line in item.history if "eval_loss" in line] for item in (result, whole))
    assert own == other


def test_a_finished_training_is_not_repeated(plain, settings_of, reviews):
    settings = settings_of(epochs=3, sensitive_columns=("group",))
    events = []
    result = fine_tune(reviews, settings, output_dir=plain.folder, resume=True, report=events.append)
    assert not any("step" in event.values for event in events)
    assert result.test.equals(plain.result.test)
    assert not (plain.folder / "checkpoints").exists()


def test_other_work_is_not_gone_on_with(plain, settings_of, reviews):
    same = settings_of(epochs=3, sensitive_columns=("group",))
    changed = settings_of(epochs=3, sensitive_columns=("group",), learning_rate=1e-3)
    with pytest.raises(SettingsError, match="learning_rate changed"):
        fine_tune(reviews, changed, output_dir=plain.folder, resume=True)
    with pytest.raises(SettingsError, match="the table changed"):
        fine_tune(reviews.head(290), same, output_dir=plain.folder, resume=True)


def test_stop_before_the_first_step(reviews, settings_of, tmp_path):
    with pytest.raises(StoppedError, match="before the first step"):
        fine_tune(reviews, settings_of(), output_dir=tmp_path, should_stop=lambda: True)
    assert fine_tune(reviews, settings_of(epochs=1), output_dir=tmp_path).rows["test"] == 60


def test_a_new_start_leaves_nothing_of_the_old(reviews, settings_of, tmp_path):
    stopped(reviews, settings_of(epochs=3), tmp_path, 8)
    result = fine_tune(reviews, settings_of(epochs=1), output_dir=tmp_path)
    assert [line["step"] for line in result.history] == [*range(1, 15), 14]


def test_half_a_checkpoint_is_passed_over(tmp_path):
    folder = TrainingFolder(tmp_path)
    for step, state in ((14, '{"global_step": 14}'), (28, '{"global_st')):
        path = tmp_path / "checkpoints" / f"checkpoint-{step}"
        path.mkdir(parents=True)
        (path / "trainer_state.json").write_text(state)
    assert folder.latest().name == "checkpoint-14"
    assert not (tmp_path / "checkpoints" / "checkpoint-28").exists()


def test_history_loses_what_came_after_the_checkpoint(tmp_path):
    folder = TrainingFolder(tmp_path)
    for step in (1, 2, 3):
        folder.add({"step": step, "loss": 1.0})
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"step": 4, "lo')
    assert [line["step"] for line in folder.history(up_to=2)] == [1, 2]
    folder.add({"step": 3, "loss": 2.0})
    assert folder.history()[-1] == {"step": 3, "loss": 2.0}


def test_a_long_epoch_is_saved_in_between(reviews, settings_of, tmp_path, monkeypatch):
    from core.finetune import training_progress

    monkeypatch.setattr(training_progress, "_SAVE_EVERY_S", 0.0)
    steps = []

    def report(event):
        if (tmp_path / "checkpoints").is_dir():
            steps.extend(path.name for path in (tmp_path / "checkpoints").glob("checkpoint-*"))

    fine_tune(reviews, settings_of(epochs=1), output_dir=tmp_path, report=report)
    assert len(set(steps)) > 5


@pytest.mark.nightly
def test_killed_in_mid_epoch_goes_on_from_the_last_epoch(reviews, settings_of, tmp_path, plain):
    settings = settings_of(epochs=3, sensitive_columns=("group",))
    reviews.to_parquet(tmp_path / "table.parquet")
    (tmp_path / "settings.json").write_text(json.dumps(settings.model_dump(mode="json")))
    code = """if True:
        import json, sys, time
        import pandas as pd
        from core.finetune import FineTuneSettings, fine_tune
        folder = sys.argv[1]
        settings = FineTuneSettings(**json.load(open(folder + "/settings.json")))
        def report(event):
            if event.values.get("step", 0) > 20:
                print("here", flush=True)
                time.sleep(60)
        fine_tune(pd.read_parquet(folder + "/table.parquet"), settings, output_dir=folder + "/out", report=report)
    """
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "here\n"
        os.kill(child.pid, signal.SIGKILL)
    assert TrainingFolder(tmp_path / "out").latest().name == "checkpoint-14"
    result = fine_tune(reviews, settings, output_dir=tmp_path / "out", resume=True)
    assert result.history == plain.result.history


def test_stop_takes_less_than_five_seconds(reviews, settings_of, tmp_path):
    asked = []

    def should_stop():
        asked.append(time.monotonic())
        return len(asked) > 5

    with pytest.raises(StoppedError):
        fine_tune(reviews, settings_of(), output_dir=tmp_path, should_stop=should_stop)
    assert time.monotonic() - asked[-1] < 5
