"""Base models: what there is, and what is refused."""

import shutil
from pathlib import Path

import pytest

from core.errors import InputError
from core.finetune import base_model, base_models
from core.finetune.base_model import resolve


def test_the_packaged_model_is_the_default_and_as_published():
    model = base_models()[0]
    assert model.available
    assert model.licence == "Apache-2.0"
    resolved = resolve("minilm-l6")
    weights = Path(resolved.path) / "model.safetensors"
    assert resolved.size_mb == round(weights.stat().st_size / 1e6, 1)
    assert resolved.parameters == base_model._parameters(weights)
    assert resolved.checkpoint_mb == pytest.approx(272, abs=1)


def test_altered_weights_are_refused(tmp_path, monkeypatch):
    package = tmp_path / "gt_altered"
    shutil.copytree(base_models()[0].path, package / "model")
    (package / "__init__.py").touch()
    weights = package / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(base_model, "PACKAGE", "gt_altered")
    with pytest.raises(InputError, match="SHA-256"):
        resolve("minilm-l6")


def test_local_folders_are_listed_with_their_size(tiny):
    local = next(model for model in base_models(tiny.parent) if model.path == str(tiny))
    assert local.title == "tiny-bert"
    assert local.available
    assert 40_000 < local.parameters < 60_000
    assert resolve(str(tiny)) == local


def test_pickled_weights_are_refused(tmp_path, tiny):
    shutil.copy(tiny / "config.json", tmp_path / "config.json")
    (tmp_path / "pytorch_model.bin").write_bytes(b"whatever")
    with pytest.raises(InputError, match="pickled"):
        resolve(str(tmp_path))


def test_a_folder_without_weights_or_config_is_refused(tmp_path, tiny):
    with pytest.raises(InputError, match=r"no config\.json"):
        resolve(str(tmp_path))
    shutil.copy(tiny / "config.json", tmp_path / "config.json")
    with pytest.raises(InputError, match="no weights"):
        resolve(str(tmp_path))


def test_a_folder_that_does_not_exist_is_said():
    with pytest.raises(InputError, match="no folder"):
        resolve("/nowhere/model")


def test_without_a_network_the_other_two_choices_are_offered(monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def unreachable(*_args, **_named):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(InputError, match="cannot be reached") as caught:
        resolve("microsoft/deberta-v3-base")
    assert "minilm-l6" in caught.value.hint
    assert "folder" in caught.value.hint
