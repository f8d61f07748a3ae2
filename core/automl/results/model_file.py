"""A model as a skops file: written, and read with a fixed list of trusted types.

A file names the modules of its classes. Those of earlier versions are mapped to where the classes live now, so that
a model that was saved once can always be loaded.
"""

from __future__ import annotations

import importlib
import io
import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from core.automl.learners.registry import LEARNERS, TABICL
from core.errors import StorageError
from core.hidden_modules import hidden_modules

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["MOVED", "TRUSTED", "load_model", "save_model", "trusted_types"]

_SCHEMA = "schema.json"

TRUSTED = [
    "core.automl._model.LabelledClassifier",
    "core.automl.engineering.engineered_model.EngineeredClassifier",
    "core.automl.engineering.engineered_model.EngineeredRegressor",
    "core.automl.engineering.feature_maker.FeatureMaker",
    "core.automl.engineering.made_features.Arithmetic",
    "core.automl.engineering.made_features.GroupDifference",
    "core.automl.engineering.made_features.TargetMeans",
    "core.automl.ensemble.blend.BlendClassifier",
    "core.automl.ensemble.blend.BlendRegressor",
    "core.automl.ensemble.calibration.CalibratedClassifier",
    "core.automl.learners.scaled_target.ScaledTargetRegressor",
    "core.features._encoder.TableEncoder",
    "core.features._groups.FeatureGroups",
    "core.features._plan.ColumnPlan",
    "core.features._text.TextFeatures",
    "numpy.dtype",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
]
"""Types besides skops' defaults and those of the learners that a saved model may hold."""

MOVED = {
    ("core.automl._blend", "BlendClassifier"): "core.automl.ensemble.blend",
    ("core.automl._blend", "BlendRegressor"): "core.automl.ensemble.blend",
    ("core.automl._features", "ColumnPlan"): "core.features._plan",
    ("core.automl._features", "TableEncoder"): "core.features._encoder",
    ("core.automl._text", "TextFeatures"): "core.features._text",
}
"""Where a class that earlier versions saved lives now, by its module and name then. Entries are never removed."""


def trusted_types() -> list[str]:
    """Return the types besides skops' defaults that a saved model may hold: `TRUSTED` and those of the learners."""
    learners = [
        name for learner in (*LEARNERS.values(), TABICL) for name in (*learner.estimators, *learner.trusted_types)
    ]
    return list(dict.fromkeys([*TRUSTED, *learners]))


def save_model(model: Pipeline, file: Path) -> None:
    """Write a pipeline.

    Parameters
    ----------
    model : fitted pipeline
        Holds no types besides scikit-learn's and `trusted_types`.
    file : Path
        File to write.
    """
    _skops_io().dump(model, file)


def load_model(file: Path) -> Pipeline:
    """Read the pipeline of a saved result.

    Parameters
    ----------
    file : Path
        File that `save_model` of this or an earlier version wrote.

    Returns
    -------
    fitted pipeline

    Raises
    ------
    StorageError
        When it holds types that are not trusted.
    """
    skops_io = _skops_io()
    data = _with_current_modules(file.read_bytes())
    trusted = trusted_types()
    foreign = sorted(set(skops_io.get_untrusted_types(data=data)) - set(trusted))
    if foreign:
        raise StorageError(
            f"The saved model holds types that are not trusted: {', '.join(foreign[:5])}.",
            "Load only models that Plumbline wrote.",
        )
    model: Pipeline = skops_io.loads(data, trusted=trusted)
    return model


def _skops_io() -> ModuleType:
    """Import skops' reader and writer, and not torch with them.

    To list scikit-learn's estimators, skops imports all packages below it, among them the bridges to other array
    libraries, which hold no estimator. Torch alone takes longer than the rest together, and 200 MB.
    """
    with hidden_modules(*(f"sklearn.externals.array_api_compat.{library}" for library in ("torch", "dask", "cupy"))):
        return importlib.import_module("skops.io")


def _with_current_modules(data: bytes) -> bytes:
    """Return a skops file whose classes are named by where they live now."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        if not _rename(schema):
            return data
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as renamed:
            for item in archive.infolist():
                content = json.dumps(schema).encode() if item.filename == _SCHEMA else archive.read(item)
                renamed.writestr(item, content)
    return target.getvalue()


def _rename(node: object) -> bool:
    """Rename the modules below a node of the schema in place; return whether there was any to rename."""
    if isinstance(node, list):
        return sum(_rename(item) for item in node) > 0
    if not isinstance(node, dict):
        return False
    renamed = sum(_rename(item) for item in node.values()) > 0  # `any` would stop at the first
    module = MOVED.get((node.get("__module__", ""), node.get("__class__", "")))
    if module is not None:
        node["__module__"] = module
    return renamed or module is not None
