"""TensorBoard's logs: written where they are asked for, one folder a training, and kept with the result."""

import pytest

from core.finetune import fine_tune

pytest.importorskip("tensorboardX")


def test_the_logs_are_kept_with_the_result(reviews, settings_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "logs"))
    first = fine_tune(reviews, settings_of(epochs=1), output_dir=tmp_path / "first")
    second = fine_tune(reviews, settings_of(epochs=1), output_dir=tmp_path / "second")
    assert first.logs_dir != second.logs_dir
    assert {path.parent for path in (tmp_path / "logs").rglob("events.out.tfevents.*")} == {
        first.logs_dir,
        second.logs_dir,
    }
    first.save(tmp_path / "saved")
    (kept,) = (tmp_path / "saved" / "tensorboard").glob("events.out.tfevents.*")
    content = kept.read_bytes()
    assert b"train/loss" in content
    assert b"eval/accuracy" in content


def test_without_being_asked_there_are_none(plain):
    assert plain.result.logs_dir is None


def test_what_cannot_be_written_is_said(monkeypatch):
    from core.finetune import tensorboard

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "/anywhere")
    monkeypatch.setattr(tensorboard, "_installed", lambda: False)
    (finding,) = tensorboard.findings()
    assert "no logs were written" in finding.message
    assert "pip install tensorboard" in finding.hint
